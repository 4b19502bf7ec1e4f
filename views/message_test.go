package views

import (
	"encoding/json"
	"os"
	"testing"
	"time"
)

func read(t *testing.T, file string, into any) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, into); err != nil {
		t.Fatal(err)
	}
}

// grouping.test.mjs reads the same file.
func TestMessagesAreGrouped(t *testing.T) {
	var rule struct {
		Messages []struct {
			Case, User, Name                  string
			Time                              time.Time
			Reply, Unreadable, Day, Continued bool
		}
	}
	read(t, "testdata/grouping.json", &rule)
	var messages []Message
	for _, m := range rule.Messages {
		message := Message{User: User{m.User, m.Name}, Time: m.Time, Unreadable: m.Unreadable}
		if m.Reply {
			message.ReplyTo = "1-0"
		}
		messages = append(messages, message)
	}
	Arrange(messages)
	for i, m := range rule.Messages {
		if got := messages[i]; (got.Day != "") != m.Day || got.Continued != m.Continued {
			t.Errorf("%s: day %q, continued %v", m.Case, got.Day, got.Continued)
		}
	}
	if want := "Sunday, 1 March 2026"; messages[0].Day != want {
		t.Errorf("the first day is %q, not %q", messages[0].Day, want)
	}
}

func TestArrangeForgetsWhatWasSet(t *testing.T) {
	messages := []Message{{Continued: true}, {Day: "some day"}}
	Arrange(messages)
	if messages[0].Continued || messages[0].Day == "" || messages[1].Day != "" {
		t.Errorf("%+v", messages)
	}
}

// avatar.test.mjs reads the same file.
func TestAvatars(t *testing.T) {
	var people []struct {
		ID, Name, Initial string
		Hue               int
	}
	read(t, "testdata/avatars.json", &people)
	for _, person := range people {
		user := User{person.ID, person.Name}
		if user.Hue() != person.Hue || user.Initial() != person.Initial {
			t.Errorf("%+v has hue %d, initial %q", person, user.Hue(), user.Initial())
		}
	}
}

func TestRowsLeaveTheModelAsItWas(t *testing.T) {
	room := Room{Room: "lobby", Highlight: "1-0", Page: Page{User: &User{ID: "a"}}, Messages: []Message{{ID: "1-0", User: User{ID: "a"}}}}
	row := room.Rows()[0]
	if row.Room != "lobby" || !row.Mine || !row.Highlighted || row.Day == "" {
		t.Errorf("%+v", row)
	}
	if room.Messages[0].Room != "" || room.Messages[0].Day != "" {
		t.Error("Rows changed the model")
	}
}

func TestReactionsSayWho(t *testing.T) {
	for want, reaction := range map[string]Reaction{
		"":           {Users: []string{"a"}},
		"Ada":        {Users: []string{"a"}, Names: []string{"Ada"}},
		"Ada, Bob …": {Users: []string{"a", "b", "c"}, Names: []string{"Ada", "Bob"}},
	} {
		if got := reaction.Who(); got != want {
			t.Errorf("%+v: %q, not %q", reaction, got, want)
		}
	}
}
