package socket_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"burble/app/client"
	"burble/app/ws"
)

// greek has characters of several bytes.
const greek = "κόσμε"

// Cases 6.1 to 6.4: text in fragments, which may be cut within a character.
func TestAutobahnFragmentedText(t *testing.T) {
	t.Parallel()
	valid, invalid := echoed("Hello-µ@ßöäüàáUTF-8!"), echoed(greek+"\xed\xa0\x80edited")
	want := "echo Hello-µ@ßöäüàáUTF-8! | close 1000"
	cut := strings.Index(valid, "ß") + 1 // within the character
	// unfinished returns a message without its last frame, which a server would wait for.
	unfinished := func(parts ...string) []byte {
		frames := client.RawFrame(ws.OpText, []byte(parts[0]))
		for _, part := range append(parts[1:], "") {
			frames = append(frames, client.RawFrame(opContinuation, []byte(part))...)
		}
		return frames
	}
	runCases(t, []autobahnCase{
		{"6.1.1 empty", text(""), "error bad_frame | close 1008"},
		{"6.1.2 empty, in three frames", fragments(ws.OpText, "", "", ""), "error bad_frame | close 1008"},
		{"6.1.3 three frames, the first and the last empty", fragments(ws.OpText, "", echoed("middle"), ""), "echo middle | close 1000"},
		{"6.2.1 one frame", text(valid), want},
		{"6.2.2 two frames, cut between characters", fragments(ws.OpText, valid[:cut-1], valid[cut-1:]), want},
		{"6.2.2 two frames, cut within a character", fragments(ws.OpText, valid[:cut], valid[cut:]), want},
		{"6.2.3 a frame for each byte", fragments(ws.OpText, split(valid, 1)...), want},
		{"6.2.4 a frame for each character", fragments(ws.OpText, strings.Split(valid, "")...), want},
		{"6.3.1 not UTF-8, in one frame", text(invalid), "close 1007"},
		{"6.3.2 not UTF-8, a frame for each byte", fragments(ws.OpText, split(invalid, 1)...), "close 1007"},
		{"6.4.1 not UTF-8 in the second of three frames", unfinished(greek, "\xf4\x90\x80\x80"), "close 1007"},
		{"6.4.2 not UTF-8 because of the first byte of the second frame", unfinished(greek+"\xf4", "\x90"), "close 1007"},
		{"6.4.3 not UTF-8 in the first frame", unfinished(greek + "\xf4\x90\x80\x80"), "close 1007"},
		{"6.4.4 not UTF-8 at the end of the first frame", unfinished(greek + "\xf4\x90"), "close 1007"},
	})
}

// autobahnText lists valid and invalid UTF-8 by the suite's groups.
var autobahnText = []struct {
	group, name    string
	valid, invalid []string
}{
	{group: "6.5", name: "some text", valid: []string{"hello$world", "hello¢world", "hello€world", "hello\U00024b62world", greek}},
	{group: "6.6", name: "cut anywhere", valid: prefixes(greek, true), invalid: prefixes(greek, false)},
	{group: "6.7", name: "first of each length", valid: []string{"\x00", "\u0080", "\u0800", "\U00010000"}},
	{group: "6.8", name: "first of five and six bytes", invalid: []string{"\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80"}},
	{group: "6.9", name: "last of each length", valid: []string{"\x7f", "\u07ff", "\uffff", "\U0010ffff"}},
	{group: "6.10", name: "last of four, five and six bytes", invalid: []string{"\xf7\xbf\xbf\xbf", "\xfb\xbf\xbf\xbf\xbf", "\xfd\xbf\xbf\xbf\xbf\xbf"}},
	{group: "6.11", name: "boundaries", valid: []string{"\ud7ff", "\ue000", "\ufffd", "\U0010ffff"}, invalid: []string{"\xf4\x90\x80\x80"}},
	{group: "6.12", name: "continuation bytes alone", invalid: []string{"\x80", "\xbf", "\x80\xbf", "\x80\xbf\x80", "\x80\xbf\x80\xbf", "\x80\xbf\x80\xbf\x80",
		"\x80\xbf\x80\xbf\x80\xbf", byteRange(0x80, 0xbe, "")}},
	{group: "6.13", name: "first bytes alone", invalid: []string{byteRange(0xc0, 0xde, " "), byteRange(0xe0, 0xee, " "), byteRange(0xf0, 0xf6, " "), byteRange(0xf8, 0xfa, " "), byteRange(0xfc, 0xfc, " ")}},
	{group: "6.14", name: "last byte missing", invalid: incomplete},
	{group: "6.15", name: "last byte missing, repeatedly", invalid: []string{strings.Join(incomplete, "")}},
	{group: "6.16", name: "impossible bytes", invalid: []string{"\xfe", "\xff", "\xfe\xfe\xff\xff"}},
	{group: "6.17", name: "overlong slash", invalid: []string{"\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xf8\x80\x80\x80\xaf", "\xfc\x80\x80\x80\x80\xaf"}},
	{group: "6.18", name: "highest overlong", invalid: []string{"\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xf8\x87\xbf\xbf\xbf", "\xfc\x83\xbf\xbf\xbf\xbf"}},
	{group: "6.19", name: "overlong NUL", invalid: []string{"\xc0\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80", "\xf8\x80\x80\x80\x80", "\xfc\x80\x80\x80\x80\x80"}},
	{group: "6.20", name: "surrogates", invalid: surrogates},
	{group: "6.21", name: "surrogate pairs", invalid: []string{surrogates[0] + surrogates[4], surrogates[0] + surrogates[6], surrogates[1] + surrogates[4],
		surrogates[1] + surrogates[6], surrogates[2] + surrogates[4], surrogates[2] + surrogates[6], surrogates[3] + surrogates[4], surrogates[3] + surrogates[6]}},
	{group: "6.22", name: "noncharacters", valid: noncharacters()},
	{group: "6.23", name: "specials", valid: []string{"\ufff9", "\ufffa", "\ufffb", "\ufffc", "\ufffd", "\ufffe", "\uffff"}},
}

var (
	incomplete = []string{"\xc0", "\xe0\x80", "\xf0\x80\x80", "\xf8\x80\x80\x80", "\xfc\x80\x80\x80\x80",
		"\xdf", "\xef\xbf", "\xf7\xbf\xbf", "\xfb\xbf\xbf\xbf", "\xfd\xbf\xbf\xbf\xbf"}
	surrogates = []string{"\xed\xa0\x80", "\xed\xad\xbf", "\xed\xae\x80", "\xed\xaf\xbf", "\xed\xb0\x80", "\xed\xbe\x80", "\xed\xbf\xbf"}
)

// prefixes returns either the valid or the invalid prefixes of a text.
func prefixes(text string, valid bool) (prefixes []string) {
	for end := 1; end <= len(text); end++ {
		if utf8.ValidString(text[:end]) == valid {
			prefixes = append(prefixes, text[:end])
		}
	}
	return prefixes
}

// byteRange returns the bytes from first to last, each followed by after.
func byteRange(first, last int, after string) string {
	var text strings.Builder
	for b := first; b <= last; b++ {
		text.WriteByte(byte(b))
		text.WriteString(after)
	}
	return text.String()
}

// noncharacters returns the last two code points of each plane.
func noncharacters() (texts []string) {
	for plane := rune(0); plane <= 0x10; plane++ {
		texts = append(texts, string(plane<<16|0xfffe), string(plane<<16|0xffff))
	}
	return texts
}

// Cases 6.5 to 6.23: each text is in one frame, within a JSON string, which must not contain control
// characters.
func TestAutobahnText(t *testing.T) {
	t.Parallel()
	var cases []autobahnCase
	for _, row := range autobahnText {
		for i, payload := range slices.Concat(row.valid, row.invalid) {
			want := "echo " + payload + " | close 1000"
			switch {
			case i >= len(row.valid):
				want = "close 1007"
			case payload < " ":
				want = "error bad_frame | close 1008"
			}
			cases = append(cases, autobahnCase{fmt.Sprintf("%s.%d %s", row.group, i+1, row.name), text(echoed(payload)), want})
		}
	}
	runCases(t, cases)
}
