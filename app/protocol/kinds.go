package protocol

import (
	"strconv"
	"time"

	"burble/app/rawjson"
	"burble/streams"
)

// For each kind of entry, this file defines the JSON fields of the entry and of the frame that appends it. A new
// field also needs a case in Frame.setField or Frame.setText. ARCHITECTURE.md lists the files that a new kind
// touches in other packages.

// frameType describes a type of frame that clients send.
type frameType struct {
	required, optional []string     // names of the fields
	kind               streams.Kind // kind of the entry to append; empty if the frame appends none
}

var frameTypes = map[string]frameType{
	"send":   {required: []string{"room", "key"}, optional: []string{"text", "files", "reply_to", "preview"}, kind: streams.Message},
	"edit":   {required: []string{"room", "key", "of", "text"}, kind: streams.Edit},
	"delete": {required: []string{"room", "key", "of"}, kind: streams.Delete},
	"react":  {required: []string{"room", "key", "of", "emoji", "on"}, kind: streams.React},
	"topic":  {required: []string{"room", "key", "text"}, kind: streams.Topic},

	"follow":   {required: []string{"room"}, optional: []string{"after", "last", "html", "deflate", "watch"}},
	"unfollow": {required: []string{"room"}},
	"typing":   {required: []string{"room"}},
	"read":     {required: []string{"room", "id"}},
	"ping":     {},
}

// appendKindFields appends the JSON fields that are specific to the entry's kind. AppendEntry appends
// "of" and the fields that all kinds share.
func appendKindFields(dst []byte, room string, entry *streams.Entry, render Render) []byte {
	switch entry.Kind {
	case streams.Message:
		return appendMessage(dst, room, entry, render)
	case streams.Edit:
		return appendHTML(appendMentions(rawjson.AppendField(dst, "text", entry.Text), entry), entry, render)
	case streams.Topic:
		return rawjson.AppendField(dst, "text", entry.Text)
	case streams.React:
		dst = rawjson.AppendField(dst, "emoji", entry.Emoji)
		dst = append(dst, `,"on":`...)
		return strconv.AppendBool(dst, entry.On)
	case streams.MemberChanged:
		return appendJoined(dst, entry)
	case streams.SettingsChanged:
		return appendSettings(dst, entry.Settings)
	case streams.Audit:
		return appendAudit(dst, entry)
	}
	return dst
}

func appendJoined(dst []byte, entry *streams.Entry) []byte {
	dst = appendUser(append(dst, `,"member":`...), entry.Member)
	dst = rawjson.AppendField(dst, "role", string(entry.Role))
	if !entry.MutedUntil.IsZero() {
		dst = rawjson.AppendField(dst, "muted_until", entry.MutedUntil.UTC().Format(time.RFC3339))
	}
	if entry.Reason != "" {
		dst = rawjson.AppendField(dst, "reason", entry.Reason)
	}
	return dst
}

func appendSettings(dst []byte, settings streams.Settings) []byte {
	dst = append(rawjson.AppendField(dst, "title", settings.Title), `,"archived":`...)
	dst = append(strconv.AppendBool(dst, settings.Archived), `,"locked":`...)
	return strconv.AppendBool(dst, settings.Locked)
}
