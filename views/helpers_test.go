package views

import (
	"bytes"
	"compress/gzip"
	"html/template"
	"testing"
	"time"
)

// Helpers of this package's tests:
//
//	page, pageAfterRefusal, accountPage, signInPage   return models of pages
//	message, conversation, conversationWithFiles      return messages
//	render    renders a page
//	gzipped   returns the compressed size of a file's content

func page(title string, user *User) Page {
	preview := &Preview{Title: title, Description: "Where we say \"hello\"", URL: "https://chat.example.org/", Image: "https://chat.example.org/static/hash/icon-512.png"}
	return Page{Title: title, User: user, Static: "/static/hash", NameLimit: 40, Preview: preview}
}

// pageAfterRefusal returns a page for a visitor whose name was refused.
func pageAfterRefusal(name string) Page {
	page := page("", nil)
	page.NameInput = name
	return page
}

func message(n int64, user User, text string) Message {
	at := noon.Add(time.Duration(n) * time.Minute)
	return Message{
		ID: "17400000000" + string(rune('0'+n)) + "0-0", Key: "key-" + string(rune('0'+n)), Number: n,
		User: user, HTML: template.HTML("<p>" + text + "</p>"), Time: at,
	}
}

func conversation() []Message {
	reply := message(3, bob, "Here too")
	reply.ReplyTo, reply.ReplyAuthor, reply.ReplyText = "17400000000"+"10-0", "Ada", "Morning"
	edited := message(4, bob, "Twice")
	edited.LastEdit = "1740000000090-0"
	edited.Reactions = []Reaction{
		{Emoji: "👍", Users: []string{ada.ID, bob.ID}, Names: []string{"Ada", "Bob"}, Mine: true},
		{Emoji: "🎉", Users: []string{bob.ID}},
	}
	deleted := message(5, ada, "")
	deleted.Deleted, deleted.HTML = true, ""
	return []Message{
		message(1, ada, "Morning"), message(2, ada, "Anyone?"), reply, edited, deleted,
		{ID: "1740000000060-0", Number: 6, Time: noon.Add(24 * time.Hour), Unreadable: true},
	}
}

// conversationWithFiles returns messages with a file of each kind, with a file but no text, and with link cards.
func conversationWithFiles() []Message {
	const path = "/f/lobby/1740000000010-0/"
	all := message(1, ada, "All sorts")
	all.Files = []File{
		{Name: "harbour.jpg", Type: "image/jpeg", Size: 812_345, Width: 2560, Height: 1707, Color: "#5b7a8c", Alt: "A harbour at dusk", URL: path + "0", Thumbnail: path + "0/thumbnail"},
		{Name: "dot.png", Type: "image/png", Size: 94, Width: 20, Height: 20, URL: path + "1"},
		{Name: "clip.mp4", Type: "video/mp4", Size: 20 << 20, URL: path + "2"},
		{Name: "memo.mp3", Type: "audio/mpeg", Size: 1 << 20, URL: path + "3"},
		{Name: "<notes>.pdf", Type: "application/pdf", Size: 1500, URL: path + "4"},
	}
	silent := message(2, bob, "")
	silent.HTML, silent.Files = "", []File{{Name: "plan.png", Type: "image/png", Width: 600, Height: 1200, Size: 5000, URL: "/f/lobby/1740000000020-0/0"}}
	linked := message(3, ada, `<a href="https://example.org/launch?a=1&amp;b=2">https://example.org/launch?a=1&amp;b=2</a>`)
	linked.Card = &Card{
		URL: "https://example.org/launch?a=1&b=2", Host: "example.org", Site: "Example & Co", Title: "Launch <day>", Description: "All about it",
		Picture: &CardPicture{URL: "/f/lobby/1740000000030-0/preview", Width: 640, Height: 360, Color: "#5b7a8c"},
	}
	plain := message(4, ada, `<a href="https://example.net/">https://example.net/</a>`)
	plain.Card = &Card{URL: "https://example.net/", Host: "example.net", Title: "Example"}
	return []Message{all, silent, linked, plain}
}

// accountPage returns a page of a user with an account.
func accountPage(title string) Page {
	p := page(title, &ada)
	p.HasAccount = true
	return p
}

func signInPage(p Page) SignInPage {
	return SignInPage{Page: p, Here: "/i/code", Next: "/r/lobby", Code: "code", Key: "9b2f6c1e-3d4a-4f6b-8a7e-1c2d3e4f5a6b", Provider: "Example"}
}

func render(t *testing.T, name string, model any) string {
	t.Helper()
	engine := Engine()
	if err := engine.Load(); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := engine.Render(&out, name, model, Layout); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func gzipped(t *testing.T, content []byte) int {
	t.Helper()
	var out bytes.Buffer
	writer := gzip.NewWriter(&out)
	if _, err := writer.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Len()
}
