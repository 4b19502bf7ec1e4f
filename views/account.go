package views

import (
	"html/template"
	"time"
)

// passkeyPage is embedded in the models of pages that load the passkey script.
type passkeyPage struct{}

// Script returns the path of the page's entry module, relative to StaticPath.
func (passkeyPage) Script() string { return signInScript }

// Preloads returns the paths of the modules to preload, like Home.Preloads.
func (passkeyPage) Preloads() []string { return signInPreloads() }

// SignInPage holds the data for the pages where people sign in or get an account. Page.User is a guest,
// unless HasAccount is set.
type SignInPage struct {
	Page
	passkeyPage
	Here     string // path of the page to return to from the identity provider
	Next     string // path of the page to show after signing in
	Code     string // the secret in the address of a setup, invite or sign-in link
	Key      string // idempotency key, which makes it harmless to send a form twice
	Provider string // name of the identity provider; empty if there is none
	Notice   string // why the last attempt failed, or empty
}

// SignIn is the model of the template "sign-in".
type SignIn struct {
	SignInPage
	MayUpgrade bool // whether a visitor may get an account without an invite
}

// Welcome is the model of the template "welcome", which offers a passkey.
type Welcome struct{ SignInPage }

// Setup is the model of the template "setup".
type Setup struct {
	SignInPage
	IsFirst bool // whether the server has no owner yet
}

// Invite is the model of the template "invite".
type Invite struct {
	SignInPage
	By        string // name of the inviter; empty for the operator
	Room      string // name of a public room, or empty
	IsPrivate bool   // whether the invite is for a private room
	Role      string // on the server, such as "a moderator"; empty for an ordinary member
}

// OneTimeLink is the model of the template "one-time-link".
type OneTimeLink struct {
	SignInPage
	For User // the user as whom the link signs in
}

// Secret is the model of the template "secret", which shows a link that was just created.
type Secret struct {
	Page
	Heading, Text string
	URL           string
	QR            template.URL // a picture, as a data: URL; empty if the link is too long
	Back          string       // path
}

// Account is the model of the template "account".
type Account struct {
	Page
	passkeyPage
	Role     string
	IsLeader bool // a moderator or an owner
	Passkeys []Passkey
	Sessions []Session
	Notice   string // why a form was refused, or empty
}

// Passkey is a row in the list of passkeys.
type Passkey struct {
	ID, Name      string
	Created, Used time.Time
}

// CreatedText returns Created as text.
func (p Passkey) CreatedText() string { return formatDate(p.Created) }

// UsedText returns Used as text, or "" if it is not later than Created.
func (p Passkey) UsedText() string {
	if !p.Used.After(p.Created) {
		return ""
	}
	return formatDate(p.Used)
}

// Session is a row in the list of sessions.
type Session struct {
	ID, Device string
	LastDay    time.Time
	IsCurrent  bool
}

// LastDayText returns LastDay as text.
func (s Session) LastDayText() string { return formatDate(s.LastDay) }

func formatDate(t time.Time) string { return formatUTC(t, "2 January 2006") }

// People is the model of the template "people".
type People struct {
	Page
	IsLeader bool // whether the page's user is a moderator or an owner
	People   []Person
	Banned   []Person // guests
	Next     int      // number of people listed before the next page; 0 if there is no next page
	Notice   string   // why a form was refused, or empty
}

// Person is a row in the list of people.
type Person struct {
	User
	Role     string
	IsMe     bool
	IsBanned bool
	IsHere   bool     // in a room that the page's user may read
	Reason   string   // of the ban
	MayAct   bool     // whether the page's user may ban them, and end their sessions
	Roles    []string // that the page's user may give them
}

// Invites is the model of the template "invites".
type Invites struct {
	Page
	MayInvite bool     // whether the page's user may invite people to the server
	Roles     []string // that the page's user may give with an invite; empty if the user may invite only ordinary members
	Invites   []InviteRow
	Notice    string // why a form was refused, or empty
}

// InviteRow is a row in the list of invites.
type InviteRow struct {
	ID     string
	For    string // such as "#lobby"
	Uses   int
	Expiry time.Time
	By     string // name of the creator
}

// ExpiryText returns Expiry as text.
func (r InviteRow) ExpiryText() string { return formatDate(r.Expiry) }

// Audit is the model of the template "audit".
type Audit struct {
	Page
	Entries []AuditRow
	Older   string // entry ID for ?before=; empty if there are no older entries
}

// AuditRow is a row of the audit log.
type AuditRow struct {
	User User
	Text string
	Time time.Time
}

// ISO returns Time in the format of a datetime attribute.
func (r AuditRow) ISO() string { return isoUTC(r.Time) }

// TimeText returns Time as text.
func (r AuditRow) TimeText() string { return formatUTC(r.Time, "2 January 2006, 15:04 UTC") }
