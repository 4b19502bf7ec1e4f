package streams

// Kind is the type of an entry.
type Kind string

// The kinds of entries.
const (
	Message         Kind = "message" // the user wrote Text, perhaps in reply to ReplyTo
	Edit            Kind = "edit"    // Text is the new text of the message Of
	React           Kind = "react"   // the user added Emoji to the message Of, or removed it if On is false
	Delete          Kind = "delete"  // the message Of and its edits were removed
	Topic           Kind = "topic"   // Text is the room's new topic, or empty to remove it
	MemberChanged   Kind = "member"  // the user made Member a member, changed their Role, or removed them
	SettingsChanged Kind = "room"    // the user changed the room's Settings
	Audit           Kind = "audit"   // the user performed Action; see AuditRoom
	// Unreadable is an entry that another program wrote. Only its ID is set. Readers return it, but Access.Page omits it.
	Unreadable Kind = "unreadable"
)

// kindFields lists the fields that each kind of entry has in Redis, in addition to kind, n, m, key, uid
// and name, which all entries have. For a new kind, append.lua must also check the entry and change the
// other keys that depend on it.
var kindFields = map[Kind][]storedField{
	Message:         {textField, replyField, mentionsField, filesField, previewField},
	Edit:            {ofField, textField, mentionsField},
	React:           {ofField, emojiField, onField},
	Delete:          {ofField},
	Topic:           {textField},
	MemberChanged:   {memberField, memberNameField, roleField, mutedField, reasonField},
	SettingsChanged: {titleField, archivedField, lockedField},
	Audit:           {actionField, optional(memberField), optional(memberNameField), optional(roleField), mutedField, reasonField, optional(roomField)},
}

// A storedField is a field of an entry in Redis.
type storedField struct {
	name       string
	isOptional bool // not stored if it is empty
	get        func(*Entry) string
	set        func(*Entry, string) error
}

var (
	textField  = newTextField("text", func(entry *Entry) *string { return &entry.Text })
	emojiField = newTextField("emoji", func(entry *Entry) *string { return &entry.Emoji })
	ofField    = newIDField("of", false, func(entry *Entry) *ID { return &entry.Of })
	replyField = newIDField("re", true, func(entry *Entry) *ID { return &entry.ReplyTo })
	onField    = newFlagField("on", func(entry *Entry) *bool { return &entry.On })

	memberField     = newTextField("member", func(entry *Entry) *string { return &entry.Member.ID })
	memberNameField = newTextField("member_name", func(entry *Entry) *string { return &entry.Member.Name })
	roleField       = newTextField("role", func(entry *Entry) *string { return (*string)(&entry.Role) })
	reasonField     = optional(newTextField("reason", func(entry *Entry) *string { return &entry.Reason }))
	mutedField      = storedField{
		name: "muted", isOptional: true,
		get: func(entry *Entry) string { return millis(entry.MutedUntil) },
		set: func(entry *Entry, value string) (err error) { entry.MutedUntil, err = parseMillis(value); return err },
	}

	actionField = newTextField("action", func(entry *Entry) *string { return &entry.Action })
	roomField   = newTextField("room", func(entry *Entry) *string { return &entry.Room })

	titleField    = newTextField("title", func(entry *Entry) *string { return &entry.Settings.Title })
	archivedField = newFlagField("archived", func(entry *Entry) *bool { return &entry.Settings.Archived })
	lockedField   = newFlagField("locked", func(entry *Entry) *bool { return &entry.Settings.Locked })
)

func optional(field storedField) storedField {
	field.isOptional = true
	return field
}

func newFlagField(name string, field func(*Entry) *bool) storedField {
	return storedField{
		name: name,
		get: func(entry *Entry) string {
			if *field(entry) {
				return "1"
			}
			return ""
		},
		set: func(entry *Entry, value string) error { *field(entry) = value == "1"; return nil },
	}
}

func newTextField(name string, field func(*Entry) *string) storedField {
	return storedField{
		name: name,
		get:  func(entry *Entry) string { return *field(entry) },
		set:  func(entry *Entry, value string) error { *field(entry) = value; return nil },
	}
}

func newIDField(name string, isOptional bool, field func(*Entry) *ID) storedField {
	return storedField{
		name: name, isOptional: isOptional,
		get: func(entry *Entry) string {
			if id := *field(entry); !id.IsZero() {
				return id.String()
			}
			return ""
		},
		set: func(entry *Entry, value string) (err error) { *field(entry), err = ParseID(value); return err },
	}
}
