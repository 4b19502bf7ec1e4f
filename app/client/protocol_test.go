package client

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// examples returns the lines of all JSON blocks in the documents of app.
func examples(t *testing.T) (lines []string) {
	t.Helper()
	documents, err := filepath.Glob("../*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, document := range documents {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range regexp.MustCompile("(?s)```json\n(.*?)\n```").FindAllStringSubmatch(string(text), -1) {
			lines = append(lines, strings.Split(block[1], "\n")...)
		}
	}
	return lines
}

func TestEveryDocumentedFrameIsDecodedInFull(t *testing.T) {
	seen := make(map[string]bool)
	for _, line := range examples(t) {
		var head struct{ Type string }
		if json.Unmarshal([]byte(line), &head) != nil || head.Type == "" {
			continue
		}
		frame, err := decode(head.Type, []byte(line))
		if err != nil {
			t.Error(err)
		}
		if _, ok := frame.(*Unknown); ok {
			continue // a request
		}
		seen[head.Type] = true
		strict := json.NewDecoder(strings.NewReader(strings.Replace(line, `"type":"`+head.Type+`",`, "", 1)))
		strict.DisallowUnknownFields()
		if _, isPong := frame.(*Pong); !isPong && strict.Decode(frame) != nil {
			t.Errorf("%[2]T lacks a field of %[1]s", line, frame)
		}
	}
	if len(seen) != 10 {
		t.Errorf("the documents have examples of %d types of frames, want 10: %v", len(seen), seen)
	}
}

func TestEveryDocumentedFileIsDecodedInFull(t *testing.T) {
	seen := 0
	for _, line := range examples(t) {
		var fields struct{ Kind, Files, Preview json.RawMessage }
		if json.Unmarshal([]byte(line), &fields) != nil || fields.Kind == nil {
			continue
		}
		for raw, into := range map[string]any{string(fields.Files): new([]File), string(fields.Preview): new(Preview)} {
			if raw == "" {
				continue
			}
			strict := json.NewDecoder(strings.NewReader(raw))
			strict.DisallowUnknownFields()
			if err := strict.Decode(into); err != nil {
				t.Errorf("%T: decode %s: %v", into, raw, err)
			}
			seen++
		}
	}
	if seen != 2 {
		t.Errorf("the documents have %d examples of files and previews, want 2", seen)
	}
}

func TestRequestsAreEncodedAsDocumented(t *testing.T) {
	const (
		key, message = "9b2f6c1e-3d4a-4f6b-8a7e-1c2d3e4f5a6b", "1732281600000-0"
		cursor       = message + "@Q3N7ZK5WYB2A"
	)
	documented := make(map[string]bool)
	for _, line := range examples(t) {
		documented[line] = true
	}
	for _, request := range []Request{
		Follow{Room: "lobby", After: cursor}, Follow{Room: "lobby", Last: 50, HTML: true}, Follow{Room: "lobby", Watch: true}, Unfollow{"lobby"},
		Message{Room: "lobby", Key: key, Text: "hello"}, Message{Room: "lobby", Key: "0e6b3c52-7d27-4d52-9c1f-aa7f6f0a2b11", Text: "hi!", ReplyTo: message},
		Message{Room: "lobby", Key: "3b241101-e2bb-4255-8caf-4136c566a962", Files: []Attachment{{"K7QZ2M4XVB6TWYH3NRCDPJGS5A", "A cat asleep on a keyboard"}, {ID: "WYH3NRCDPJGS5AK7QZ2M4XVB6T"}}},
		Edit{"lobby", "7c9e6679-7425-40de-944b-e07fc1f90ae7", message, "hello, all"}, Delete{"lobby", "1b4e28ba-2fa1-41d2-883f-0016d3cca427", "1732281601000-0"},
		React{"lobby", "f47ac10b-58cc-4372-a567-0e02b2c3d479", message, "👍", true}, Topic{"lobby", "2c1d43b8-e6d7-4376-8f52-3cc81b6e2a3e", "Where we say hello"},
		Typing{"lobby"}, MarkRead{"lobby", "1732281605000-0"}, Ping{},
	} {
		if frame := encode(request); !documented[string(frame)] {
			t.Errorf("no example in the documents is %s", frame)
		}
	}
}

func TestNewKeyIsARandomUUID(t *testing.T) {
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	first, second := NewKey(), NewKey()
	if !form.MatchString(first) || !form.MatchString(second) || first == second {
		t.Errorf("the keys %s and %s are equal, or not UUIDs", first, second)
	}
}

func FuzzDecode(f *testing.F) {
	for _, op := range []Opcode{OpText, OpBinary} {
		f.Add(byte(op), []byte(`{"type":"entries","room":"lobby","after":"1-0@E","upto":"2-0@E","entries":[{"id":"2-0"}]}`))
		f.Add(byte(op), []byte("\x78\x9c\xab\x56\x2a\xa9\x2c\x48\x55\xb2\x52\x2a\xc8\xcf\x4b\x57\xaa\x05\x00"))
	}
	f.Fuzz(func(t *testing.T, op byte, data []byte) {
		given := bytes.Clone(data)
		frame, err := RawMessage{Opcode(op), data}.Decode()
		if (frame == nil) == (err == nil) || !bytes.Equal(given, data) {
			t.Errorf("decoding %q returned %v, %v; want a frame or an error, and the input unchanged", given, frame, err)
		}
	})
}
