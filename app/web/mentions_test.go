package web

import (
	"slices"
	"testing"

	"burble/app/client"
	"burble/streams/redistest"
)

// TestMentionsAreFoundWhenStored checks that live entries and the list of rooms agree on whom a message mentions.
func TestMentionsAreFoundWhenStored(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		s := startServer(t, backend.Redis)
		people := map[string]testUser{}
		first := ""
		for _, name := range []string{"Ada", "Ada Lovelace", "Σωκράτης", "José"} {
			people[name] = s.signIn(name)
			first = s.post(people[name], "lobby", "hello").ID
		}
		for _, user := range people {
			c := s.connect(user)
			c.sendf(`{"type":"read","room":"lobby","id":"%s"}`, first)
			c.sync()
		}
		c := s.connect(s.signIn("Bob"))
		c.follow("lobby", `,"last":0`)
		next := c.readNext("lobby")
		mentionsIn := func(text string) []string {
			c.appendf(`{"type":"send","room":"lobby","key":"%s","text":"%s"}`, client.NewKey(), text)
			return next(1)[0].Mentions
		}
		counts := map[string]int{}
		for _, test := range []struct{ text, want, folded string }{
			{"@ada lovelace, look", "Ada Lovelace", "ada lovelace"}, {"@ADA, look", "Ada", "ada"}, {"@ΣΩΚΡΆΤΗΣ", "Σωκράτης", "σωκρατησ"}, {"@jose", "José", "jose"},
			{"https://medium.com/@Ada/x", "", ""}, {"npm i @ada/core", "", ""}, {`\\@Ada`, "", ""}, {"`@Ada`", "", ""},
		} {
			got := mentionsIn(test.text)
			if counts[test.want]++; test.want == "" && slices.Contains(got, "ada") || test.want != "" && !slices.Equal(got, []string{test.folded}) {
				t.Errorf("%s: the entry mentions %q, want %q", test.text, got, test.folded)
			}
			for name, user := range people {
				var rooms []client.Room
				if s.get("/rooms", user.bearer()).decode(t, &rooms); rooms[0].Mentions != counts[name] {
					t.Errorf("%s: %s has %d mentions, want %d", test.text, name, rooms[0].Mentions, counts[name])
				}
			}
		}
		if got := mentionsIn("@someone else, hi"); !slices.Equal(got, []string{"someone", "someone else", "someone else,", "someone else, hi"}) {
			t.Errorf("a mention of an unknown name: got %q, want each beginning that may be a name", got)
		}
	})
}
