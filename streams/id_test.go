package streams

import (
	"strings"
	"testing"
)

func TestParseCursor(t *testing.T) {
	for text, want := range map[string]string{
		"0-0": "0-0", "1732281600000-0": "1732281600000-0", "1-2@AbC9": "1-2@AbC9",
		"18446744073709551615-18446744073709551615": "18446744073709551615-18446744073709551615",
		"": "", "1": "", "-": "", "1-": "", "-1": "", "01-0": "", "1-00": "", "+1-0": "", "1-0@": "", "1-0@a b": "",
		"1-0@{x}": "", "1-0 ": "", "18446744073709551616-0": "", "1-0@" + strings.Repeat("a", 33): "", "$": "", "+": "",
	} {
		cursor, err := ParseCursor(text)
		if (err == nil) != (want != "") || err == nil && cursor.String() != want {
			t.Errorf("ParseCursor(%q) = %v, %v; want %q", text, cursor, err, want)
		}
	}
}

func FuzzParseCursor(f *testing.F) {
	f.Add("1732281600000-0@abc")
	f.Add("0-0")
	f.Fuzz(func(t *testing.T, text string) {
		if cursor, err := ParseCursor(text); err == nil && cursor.String() != text {
			t.Errorf("ParseCursor(%q).String() = %q, want the same text", text, cursor)
		}
	})
}

func FuzzCheckRoom(f *testing.F) {
	f.Add("lobby")
	f.Add("a_b-c")
	f.Fuzz(func(t *testing.T, room string) {
		if CheckRoom(room) != nil {
			return
		}
		if bucket := bucketOf(room); bucket < 0 || bucket >= buckets || len(room) > 64 || strings.ContainsAny(room, "{}: \n") {
			t.Errorf("CheckRoom(%q) = nil, want an error; bucketOf(room) = %d", room, bucket)
		}
	})
}

func TestIDPrevious(t *testing.T) {
	for _, id := range []ID{{5, 3}, {5, 0}} {
		if previous := id.previous(); !previous.Before(id) {
			t.Errorf("%v.previous() = %v, want an earlier ID", id, previous)
		}
	}
}
