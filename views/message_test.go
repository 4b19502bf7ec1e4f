package views

import (
	"encoding/json"
	"os"
	"testing"
	"time"
)

func readJSON(t *testing.T, file string, value any) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, value); err != nil {
		t.Fatal(err)
	}
}

// rows.test.mjs has the same cases.
func TestMessagesAreGrouped(t *testing.T) {
	var cases struct {
		Messages []struct {
			Case, User, Name                  string
			Time                              time.Time
			Reply, Unreadable, Day, Continued bool
		}
	}
	readJSON(t, "testdata/grouping.json", &cases)
	var messages []Message
	for _, m := range cases.Messages {
		message := Message{User: User{m.User, m.Name}, Time: m.Time, Unreadable: m.Unreadable}
		if m.Reply {
			message.ReplyTo = "1-0"
		}
		messages = append(messages, message)
	}
	Arrange(messages)
	for i, m := range cases.Messages {
		got := messages[i]
		if hasDay := got.Day != ""; hasDay != m.Day {
			t.Errorf("%s: got Day %q, want a Day: %v", m.Case, got.Day, m.Day)
		}
		if got.Continued != m.Continued {
			t.Errorf("%s: got Continued %v, want %v", m.Case, got.Continued, m.Continued)
		}
	}
	if want := "Sunday, 1 March 2026"; messages[0].Day != want {
		t.Errorf("Day = %q, want %q", messages[0].Day, want)
	}
}

func TestArrangeOverwritesDayAndContinued(t *testing.T) {
	messages := []Message{{Continued: true}, {Day: "some day"}}
	Arrange(messages)
	if messages[0].Continued || messages[0].Day == "" || messages[1].Day != "" {
		t.Errorf("got %+v, want Day and Continued computed from the order of the messages", messages)
	}
}

// avatar.test.mjs has the same cases.
func TestAvatars(t *testing.T) {
	var people []struct {
		ID, Name, Initial string
		Hue               int
	}
	readJSON(t, "testdata/avatars.json", &people)
	for _, person := range people {
		user := User{person.ID, person.Name}
		if user.Hue() != person.Hue || user.Initial() != person.Initial {
			t.Errorf("%+v: got hue %d and initial %q, want %d and %q", user, user.Hue(), user.Initial(), person.Hue, person.Initial)
		}
	}
}

func TestRowsDoesNotChangeMessages(t *testing.T) {
	room := Room{Room: "lobby", Highlight: "1-0", Page: Page{User: &User{ID: "a"}}, Messages: []Message{{ID: "1-0", User: User{ID: "a"}}}}
	row := room.Rows()[0]
	if row.Room != "lobby" || !row.Mine || !row.Highlighted || row.Day == "" {
		t.Errorf("got row %+v, want Room, Mine, Highlighted and Day set", row)
	}
	if room.Messages[0].Room != "" || room.Messages[0].Day != "" {
		t.Errorf("after Rows: got Messages %+v, want them unchanged", room.Messages)
	}
}

func TestReactionNameList(t *testing.T) {
	for want, reaction := range map[string]Reaction{
		"":           {Users: []string{"a"}},
		"Ada":        {Users: []string{"a"}, Names: []string{"Ada"}},
		"Ada, Bob …": {Users: []string{"a", "b", "c"}, Names: []string{"Ada", "Bob"}},
	} {
		if got := reaction.NameList(); got != want {
			t.Errorf("%+v: NameList() = %q, want %q", reaction, got, want)
		}
	}
}
