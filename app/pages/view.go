package pages

import (
	"cmp"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strings"

	"burble/app/identity"
	"burble/app/markup"
	"burble/app/protocol"
	"burble/streams"
	"burble/views"
)

// idText returns the ID, or "" for the zero ID.
func idText(id streams.ID) string {
	if id.IsZero() {
		return ""
	}
	return id.String()
}

// viewMessages converts entries to the messages of a page for the user.
func viewMessages(room string, entries []streams.Entry, user identity.User, render protocol.Render) []views.Message {
	messages := make([]views.Message, len(entries))
	byID := make(map[streams.ID]*streams.Entry, len(entries))
	for i := range entries {
		entry := &entries[i]
		byID[entry.ID] = entry
		messages[i] = viewMessage(entry, user, render)
		messages[i].Files = viewFiles(room, entry)
		messages[i].Card = viewCard(room, entry)
		if original := byID[entry.ReplyTo]; original != nil && !original.Deleted {
			messages[i].ReplyAuthor = original.User.Name
			messages[i].ReplyText = firstLine(markup.Text(render(original)))
			if messages[i].ReplyText == "" && len(original.Files) > 0 {
				messages[i].ReplyText = cmp.Or(original.Files[0].Alt, original.Files[0].Name)
			}
		}
	}
	return messages
}

func viewMessage(entry *streams.Entry, user identity.User, render protocol.Render) views.Message {
	message := views.Message{
		ID: entry.ID.String(), Key: entry.Key, Number: entry.Number, User: views.User(entry.User),
		Time: entry.ID.Time(), ReplyTo: idText(entry.ReplyTo), LastEdit: idText(entry.Edited),
		Deleted: entry.Deleted, Unreadable: entry.Kind == streams.Unreadable,
	}
	if !entry.Deleted {
		message.HTML = template.HTML(render(entry))
	}
	for emoji, users := range entry.Reactions {
		message.Reactions = append(message.Reactions, views.Reaction{
			Emoji: emoji, Users: users, MoreUsers: entry.MoreUsers[emoji], Mine: !user.IsZero() && slices.Contains(users, user.ID),
		})
	}
	sortReactions(message.Reactions)
	return message
}

// viewFiles converts an entry's files.
func viewFiles(room string, entry *streams.Entry) []views.File {
	files := make([]views.File, len(entry.Files))
	for i, file := range entry.Files {
		url := fmt.Sprintf("/f/%s/%s/%d", room, entry.ID, i)
		files[i] = views.File{
			Name: file.Name, Type: file.Type, Size: file.Size, Width: file.Width, Height: file.Height, Color: file.Color, Alt: file.Alt, URL: url,
		}
		if file.Thumbnail != "" {
			files[i].Thumbnail = url + "/thumbnail"
		}
	}
	return files
}

// viewCard converts an entry's link preview, or returns nil if there is none to show.
func viewCard(room string, entry *streams.Entry) *views.Card {
	preview := entry.Preview
	if preview == nil || entry.Deleted {
		return nil
	}
	card := &views.Card{URL: preview.URL, Site: preview.Site, Title: preview.Title, Description: preview.Description}
	if parsed, err := url.Parse(preview.URL); err == nil {
		card.Host = parsed.Host
	}
	if card.Site == card.Host {
		card.Site = ""
	}
	if file := preview.File; file != nil {
		card.Picture = &views.CardPicture{URL: fmt.Sprintf("/f/%s/%s/preview", room, entry.ID), Width: file.Width, Height: file.Height, Color: file.Color}
	}
	return card
}

// previewMode returns when the script requests link previews in a room: "on" for always, "ask" for after the user
// agrees, or "" for never.
func (p *Pages) previewMode(room string) string {
	switch {
	case !p.options.HasPreviews:
		return ""
	case streams.IsDirect(room):
		return "ask"
	}
	return "on"
}

// sortReactions sorts reactions by the number of users, descending.
func sortReactions(reactions []views.Reaction) {
	slices.SortFunc(reactions, func(a, b views.Reaction) int {
		return cmp.Or(cmp.Compare(b.Count(), a.Count()), cmp.Compare(a.Emoji, b.Emoji))
	})
}

// firstLine returns the first line of text, up to 120 characters, for a reply to quote.
func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	if runes := []rune(line); len(runes) > 120 {
		return string(runes[:120]) + "…"
	}
	return line
}
