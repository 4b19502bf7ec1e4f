package rawjson

import (
	"encoding/json"
	"testing"
)

// FuzzMembers checks Members and Unquote against encoding/json.
func FuzzMembers(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, ` { } `, `null`, `[]`, `"{}"`, `{"a":1}`, `{"a":"b","a":"c"}`, "{\t\"a\" :\r\n{ \"b\": [ \"}\", {} ] } , \"\": -1e9 }", `{"\u0061\"":"\\","b":"\""}`,
		`{"a":[],"b":{},"c":true,"d":false,"e":null}`, `{"a":[[[{"b":"]"}]]]}`, `{"a":1}x`, `{"a"}`, `{"a":1,}`, "{\"\xff\":\"\xff\"}", `{"a":"\ud800"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var want map[string]json.RawMessage
		object := json.Unmarshal(data, &want) == nil && want != nil
		got, ok := Members(data)
		if ok != object || len(got) != len(want) {
			t.Fatalf("%q: got object %v, members %v; want %v, %v", data, ok, got, object, want)
		}
		for name, value := range want {
			if got[name] != string(value) {
				t.Errorf("%q: member %q is %q, want %q", data, name, got[name], value)
			}
			var text string
			isText := value[0] == '"' && json.Unmarshal(value, &text) == nil
			if read, ok := Unquote(got[name]); ok != isText || read != text {
				t.Errorf("%q: %q unquoted is %q, %v; want %q, %v", data, value, read, ok, text, isText)
			}
		}
	})
}
