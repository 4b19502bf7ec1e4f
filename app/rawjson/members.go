package rawjson

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// space is JSON's insignificant whitespace (RFC 8259, section 2).
const space = " \t\r\n"

// Members returns the members of a JSON object with their raw JSON values. If several members have
// the same name, the last one wins. It returns false if data is not a JSON object.
//
// Unmarshaling into a map[string]json.RawMessage would do the same, but take 2.5 times as long, and the
// server parses every frame with this function.
func Members(data []byte) (raw map[string]string, ok bool) {
	text := strings.TrimLeft(string(data), space)
	if !json.Valid(data) || text[0] != '{' {
		return nil, false
	}
	raw = make(map[string]string)
	for text = text[1:]; ; {
		text = strings.TrimLeft(text, space+",")
		if text[0] == '}' {
			return raw, true
		}
		name := text[:valueLength(text)]
		text = strings.TrimLeft(text[len(name):], space+":")
		value := text[:valueLength(text)]
		text = text[len(value):]
		key, _ := Unquote(name)
		raw[key] = value
	}
}

// valueLength returns the length of the JSON value at the start of text, which must be valid JSON.
func valueLength(text string) int {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
			if !quoted && depth == 0 {
				return i + 1
			}
		case quoted:
		case c == '{' || c == '[':
			depth++
		case depth == 0 && strings.IndexByte(space+",}", c) >= 0:
			return i
		case c == '}' || c == ']':
			depth--
			if depth == 0 {
				return i + 1
			}
		}
	}
	return len(text)
}

// Unquote decodes a JSON string. It returns false for any other value.
func Unquote(value string) (text string, ok bool) {
	if value == "" || value[0] != '"' {
		return "", false
	}
	if text = value[1 : len(value)-1]; !strings.Contains(text, `\`) && utf8.ValidString(text) {
		return text, true
	}
	return text, json.Unmarshal([]byte(value), &text) == nil
}
