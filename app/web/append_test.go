package web

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"burble/app/client"
	"burble/streams/redistest"
)

func TestRetriedSendIsStoredOnce(t *testing.T) {
	t.Parallel()
	here, there := startTwo(t, newMiniredis(t))
	ada := here.signIn("Ada")
	first, second := here.connect(ada), there.connect(ada)
	key := client.NewKey()
	first.sendf(`{"type":"send","room":"lobby","key":"%s","text":"once"}`, key)
	stored := awaitText[*client.Stored](first)
	id := here.history("lobby", "").Entries[0].ID
	if want := fmt.Sprintf(`{"type":"stored","room":"lobby","key":%q,"id":%q}`, key, id); stored != want {
		t.Errorf("stored: %s, want %s", stored, want)
	}
	second.sendf(`{"type":"send","room":"lobby","key":"%s","text":"once"}`, key)
	if again := awaitText[*client.Stored](second); again != stored {
		t.Errorf("retried on another server: %s, want %s", again, stored)
	}
	got := there.postJSON("/r/lobby/messages", `{"text":"once"}`, ada.bearer(), "Idempotency-Key: "+key)
	if got.status != 200 || !strings.Contains(got.body, id) {
		t.Errorf("retry over HTTP: status %d, body %s; want 200 and the ID %s", got.status, got.body, id)
	}
	if got := texts(there.history("lobby", "").Entries); !slices.Equal(got, []string{"once"}) {
		t.Errorf("the room has %q, want one message", got)
	}
}

// If entries are waiting, the server writes acknowledgments together with them.
func TestEverySendIsAcknowledged(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	ada := s.connect(s.signIn("Ada"))
	ada.follow("lobby", "")
	key := client.NewKey()
	for range 60 { // one entry, and many acknowledgments at once
		ada.sendf(`{"type":"send","room":"lobby","key":"%s","text":"once"}`, key)
	}
	ada.send(`{"type":"unfollow","room":"lobby"}`)
	ada.sendf(`{"type":"send","room":"lobby","key":"%s","text":"once"}`, key)
	first := await[*client.Stored](ada)
	for range 60 {
		if again := await[*client.Stored](ada); *again != *first {
			t.Errorf("repeated send: got %+v, want %+v", again, first)
		}
	}
}

func TestMessagesOfOneSocketKeepTheirOrder(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		here, there := startTwo(t, backend.Redis)
		reader, writer := there.connect(anonymous), here.connect(here.signIn("Ada"))
		reader.follow("lobby", "")
		for i := range 200 { // without waiting for acknowledgments
			writer.sendf(`{"type":"send","room":"lobby","key":"%s","text":"%d"}`, client.NewKey(), i)
		}
		for i, entry := range reader.read("lobby", 200) {
			if entry.Text != fmt.Sprint(i) || entry.Number != int64(i+1) {
				t.Fatalf("entry %d is %+v, want text %d and number %d", i, entry, i, i+1)
			}
		}
	})
}

func TestLongBatchesOfLargeMessagesArriveWhole(t *testing.T) {
	t.Parallel()
	s := startServer(t, redistest.Start(t).Redis())
	writer := s.connect(s.signIn("Ada"))
	text := func(i int) string { return strings.Repeat("😀", 3998) + fmt.Sprint(i+10) } // 15,994 bytes
	for i := range 40 {
		writer.post("lobby", text(i))
	}
	reader := s.connect(anonymous)
	reader.follow("lobby", `,"after":"0-0"`)
	for i, entry := range reader.read("lobby", 40) {
		if entry.Text != text(i) {
			t.Fatalf("entry %d has %d bytes, want %d", i, len(entry.Text), len(text(i)))
		}
	}
}

func TestVisitorWithoutNameMayOnlyRead(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	c, key := s.connect(anonymous), client.NewKey()
	for _, frame := range []string{
		`{"type":"send","room":"lobby","key":"` + key + `","text":"hi"}`,
		`{"type":"react","room":"lobby","key":"` + key + `","of":"1-1","emoji":"👍","on":true}`,
	} {
		c.send(frame)
		if refused := await[*client.Error](c); refused.Code != "not_allowed" || refused.Room != "lobby" || refused.Key != key {
			t.Errorf("%s: got %+v, want not_allowed with the room and the key", frame, refused)
		}
	}
	if page := s.history("lobby", ""); len(page.Entries) > 0 {
		t.Errorf("stored %+v, want nothing", page.Entries)
	}
}

func TestAmendmentsAreAuthorized(t *testing.T) {
	t.Parallel()
	here, there := startTwo(t, newMiniredis(t))
	ada, bob := here.connect(here.signIn("Ada")), there.connect(there.signIn("Bob"))
	of, key := ada.post("lobby", "mine"), client.NewKey()
	deleted := ada.post("lobby", "to be deleted")
	reaction := bob.appendf(`{"type":"react","room":"lobby","key":"%s","of":"%s","emoji":"👍","on":true}`, client.NewKey(), of)
	ada.appendf(`{"type":"delete","room":"lobby","key":"%s","of":"%s"}`, client.NewKey(), deleted)
	for _, test := range []struct{ name, frame, code, field string }{
		{"edit another user's message", `"edit","of":"` + of + `","text":"yours"`, "not_yours", "of"},
		{"delete another user's message", `"delete","of":"` + of + `"`, "not_yours", "of"},
		{"edit a message that does not exist", `"edit","of":"1-1","text":"x"`, "not_found", "of"},
		{"delete a message that does not exist", `"delete","of":"1-1"`, "not_found", "of"},
		{"react to a message that does not exist", `"react","of":"1-1","emoji":"👍","on":true`, "not_found", "of"},
		{"react to a deleted message", `"react","of":"` + deleted + `","emoji":"👍","on":true`, "not_found", "of"},
		{"edit a reaction", `"edit","of":"` + reaction + `","text":"x"`, "not_found", "of"},
		{"reply to a message that does not exist", `"send","text":"x","reply_to":"1-1"`, "not_found", "reply_to"},
	} {
		bob.send(`{"room":"lobby","key":"` + key + `","type":` + test.frame + `}`)
		refused := await[*client.Error](bob)
		if refused.Code != test.code || refused.Field != test.field || refused.Room != "lobby" || refused.Key != key || refused.Message == "" {
			t.Errorf("%s: got %+v, want code %s, field %q, the room, the key and a message", test.name, refused, test.code, test.field)
		}
	}
	// Bob cannot use a key that Ada has used.
	ada.sendf(`{"type":"send","room":"lobby","key":"%s","text":"ada's key"}`, key)
	await[*client.Stored](ada)
	bob.sendf(`{"type":"send","room":"lobby","key":"%s","text":"bob's try"}`, key)
	if refused := await[*client.Error](bob); refused.Code != "bad_field" || refused.Field != "key" || refused.Key != key {
		t.Errorf("another user's key: got %+v, want bad_field for key", refused)
	}
	// Users may remove their reactions, and reply to a deleted message.
	bob.appendf(`{"type":"react","room":"lobby","key":"%s","of":"%s","emoji":"👍","on":false}`, client.NewKey(), of)
	bob.appendf(`{"type":"send","room":"lobby","key":"%s","text":"why?","reply_to":"%s"}`, client.NewKey(), deleted)
	page := here.history("lobby", "")
	if want := []string{"mine", "", "ada's key", "why?"}; !slices.Equal(texts(page.Entries), want) || page.Entries[0].Reactions != nil {
		t.Errorf("the room has %+v, want %q without reactions", page.Entries, want)
	}
}

func TestMessageHasAtMostFiftyReactions(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	c := s.connect(s.signIn("Ada"))
	of := c.post("lobby", "popular")
	const react = `{"type":"react","room":"lobby","key":"%s","of":"%s","emoji":"%c","on":true}`
	for i := range 50 {
		c.appendf(react, client.NewKey(), of, '😀'+rune(i))
	}
	c.sendf(react, client.NewKey(), of, '👍')
	if refused := await[*client.Error](c); refused.Code != "bad_field" || refused.Field != "emoji" {
		t.Errorf("a different reaction: got %+v, want bad_field for emoji", refused)
	}
	c.appendf(react, client.NewKey(), of, '😀') // one of the fifty
}
