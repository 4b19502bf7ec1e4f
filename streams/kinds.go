package streams

// Kind is the type of an entry.
type Kind string

// The kinds of entries.
const (
	Message Kind = "message" // Text, perhaps in reply to ReplyTo
	Edit    Kind = "edit"    // the message Of has the text Text now
	React   Kind = "react"   // the user put Emoji on the message Of, or removed it
	Delete  Kind = "delete"  // the message Of and its edits are erased
	Topic   Kind = "topic"   // the room's topic is Text; empty: it has none
	// Unreadable is an entry that Burble did not write. Only its ID is set: readers skip
	// it.
	Unreadable Kind = "unreadable"
)

// kindFields lists the fields that entries of each kind have in Redis, besides the kind, n,
// key, uid and name that all have. A new kind needs a line here; and in append.lua, what
// it requires and what it changes besides the stream.
var kindFields = map[Kind][]storedField{
	Message: {textField, replyField},
	Edit:    {ofField, textField},
	React:   {ofField, emojiField, onField},
	Delete:  {ofField},
	Topic:   {textField},
}

// A storedField is a field of an entry in Redis.
type storedField struct {
	name       string
	isOptional bool // and left out when it is empty
	get        func(*Entry) string
	set        func(*Entry, string) error
}

var (
	textField  = textual("text", func(entry *Entry) *string { return &entry.Text })
	emojiField = textual("emoji", func(entry *Entry) *string { return &entry.Emoji })
	ofField    = entryID("of", false, func(entry *Entry) *ID { return &entry.Of })
	replyField = entryID("re", true, func(entry *Entry) *ID { return &entry.ReplyTo })
	onField    = storedField{
		name: "on",
		get: func(entry *Entry) string {
			if entry.On {
				return "1"
			}
			return ""
		},
		set: func(entry *Entry, value string) error { entry.On = value == "1"; return nil },
	}
)

func textual(name string, of func(*Entry) *string) storedField {
	return storedField{
		name: name,
		get:  func(entry *Entry) string { return *of(entry) },
		set:  func(entry *Entry, value string) error { *of(entry) = value; return nil },
	}
}

func entryID(name string, isOptional bool, of func(*Entry) *ID) storedField {
	return storedField{
		name: name, isOptional: isOptional,
		get: func(entry *Entry) string {
			if id := *of(entry); !id.IsZero() {
				return id.String()
			}
			return ""
		},
		set: func(entry *Entry, value string) (err error) { *of(entry), err = ParseID(value); return err },
	}
}
