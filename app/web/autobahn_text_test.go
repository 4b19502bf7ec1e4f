package web

import (
	"burble/app/ws"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// Greek is text of several bytes a character.
const greek = "κόσμε"

// bytesOf is each byte of a message.
func bytesOf(message string) []string {
	var all []string
	for i := range len(message) {
		all = append(all, message[i:i+1])
	}
	return all
}

// Cases 6.1 to 6.4: text in fragments, which may be cut within a character.
func TestAutobahnTextInFragments(t *testing.T) {
	good, bad := echoing("Hello-µ@ßöäüàáUTF-8!"), echoing(greek+"\xed\xa0\x80edited")
	said := "echo Hello-µ@ßöäüàáUTF-8! | close 1000"
	cut := strings.Index(good, "ß") + 1 // within it
	var runes []string
	for _, r := range good {
		runes = append(runes, string(r))
	}
	never := rawFrame(opMore, nil) // the message is not ended: who waits for that waits for ever
	playCases(t, []autobahnCase{
		{"6.1.1 no text", text(""), "error bad_frame | close 1008"},
		{"6.1.2 no text in three frames", fragments(ws.OpText, "", "", ""), "error bad_frame | close 1008"},
		{"6.1.3 three frames, of which the middle one has text", fragments(ws.OpText, "", echoing("middle"), ""), "echo middle | close 1000"},
		{"6.2.1 in one frame", text(good), said},
		{"6.2.2 in two frames, cut between characters", fragments(ws.OpText, good[:cut-1], good[cut-1:]), said},
		{"6.2.2 in two frames, cut within a character", fragments(ws.OpText, good[:cut], good[cut:]), said},
		{"6.2.3 a frame for each byte", fragments(ws.OpText, bytesOf(good)...), said},
		{"6.2.4 a frame for each character", fragments(ws.OpText, runes...), said},
		{"6.3.1 not UTF-8, in one frame", text(bad), "close 1007"},
		{"6.3.2 not UTF-8, a frame for each byte", fragments(ws.OpText, bytesOf(bad)...), "close 1007"},
		{"6.4.1 found in a frame before the last", joined(rawFrame(ws.OpText, []byte(greek)), rawFrame(opMore, []byte("\xf4\x90\x80\x80")), never), "close 1007"},
		{"6.4.2 found at the byte that cannot follow", joined(rawFrame(ws.OpText, []byte(greek+"\xf4")), rawFrame(opMore, []byte("\x90")), never), "close 1007"},
		{"6.4.3 found in the first frame", joined(rawFrame(ws.OpText, []byte(greek+"\xf4\x90\x80\x80")), never), "close 1007"},
		{"6.4.4 found in the first frame, at the byte that cannot follow", joined(rawFrame(ws.OpText, []byte(greek+"\xf4\x90")), never), "close 1007"},
	})
}

// autobahnText is the suite's list of what is UTF-8 and what is not, by group.
var autobahnText = []struct {
	group, name string
	good, bad   []string
}{
	{group: "6.5", name: "some text", good: []string{"hello$world", "hello¢world", "hello€world", "hello\U00024b62world", greek}},
	{group: "6.6", name: "a text cut anywhere"}, // made below
	{group: "6.7", name: "the first of each length", good: []string{"\x00", "\u0080", "\u0800", "\U00010000"}},
	{group: "6.8", name: "the first of five and six bytes", bad: []string{"\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80"}},
	{group: "6.9", name: "the last of each length", good: []string{"\x7f", "\u07ff", "\uffff", "\U0010ffff"}},
	{group: "6.10", name: "the last of four, five and six bytes", bad: []string{"\xf7\xbf\xbf\xbf", "\xfb\xbf\xbf\xbf\xbf", "\xfd\xbf\xbf\xbf\xbf\xbf"}},
	{group: "6.11", name: "at the edges", good: []string{"\ud7ff", "\ue000", "\ufffd", "\U0010ffff"}, bad: []string{"\xf4\x90\x80\x80"}},
	{group: "6.12", name: "continuations of nothing", bad: []string{"\x80", "\xbf", "\x80\xbf", "\x80\xbf\x80", "\x80\xbf\x80\xbf", "\x80\xbf\x80\xbf\x80",
		"\x80\xbf\x80\xbf\x80\xbf", everyByte(0x80, 0xbe, "")}},
	{group: "6.13", name: "beginnings of nothing", bad: []string{everyByte(0xc0, 0xde, " "), everyByte(0xe0, 0xee, " "), everyByte(0xf0, 0xf6, " "), everyByte(0xf8, 0xfa, " "), everyByte(0xfc, 0xfc, " ")}},
	{group: "6.14", name: "the last byte missing", bad: unfinished},
	{group: "6.15", name: "several of that", bad: []string{strings.Join(unfinished, "")}},
	{group: "6.16", name: "bytes that never are", bad: []string{"\xfe", "\xff", "\xfe\xfe\xff\xff"}},
	{group: "6.17", name: "a slash, overlong", bad: []string{"\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xf8\x80\x80\x80\xaf", "\xfc\x80\x80\x80\x80\xaf"}},
	{group: "6.18", name: "the greatest that are overlong", bad: []string{"\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xf8\x87\xbf\xbf\xbf", "\xfc\x83\xbf\xbf\xbf\xbf"}},
	{group: "6.19", name: "NUL, overlong", bad: []string{"\xc0\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80", "\xf8\x80\x80\x80\x80", "\xfc\x80\x80\x80\x80\x80"}},
	{group: "6.20", name: "surrogates", bad: surrogates[:7]},
	{group: "6.21", name: "pairs of surrogates", bad: []string{surrogates[0] + surrogates[4], surrogates[0] + surrogates[6], surrogates[1] + surrogates[4],
		surrogates[1] + surrogates[6], surrogates[2] + surrogates[4], surrogates[2] + surrogates[6], surrogates[3] + surrogates[4], surrogates[3] + surrogates[6]}},
	{group: "6.22", name: "what will never be a character"}, // made below
	{group: "6.23", name: "specials", good: []string{"\ufff9", "\ufffa", "\ufffb", "\ufffc", "\ufffd", "\ufffe", "\uffff"}},
}

var (
	unfinished = []string{"\xc0", "\xe0\x80", "\xf0\x80\x80", "\xf8\x80\x80\x80", "\xfc\x80\x80\x80\x80",
		"\xdf", "\xef\xbf", "\xf7\xbf\xbf", "\xfb\xbf\xbf\xbf", "\xfd\xbf\xbf\xbf\xbf"}
	surrogates = []string{"\xed\xa0\x80", "\xed\xad\xbf", "\xed\xae\x80", "\xed\xaf\xbf", "\xed\xb0\x80", "\xed\xbe\x80", "\xed\xbf\xbf"}
)

// everyByte is the bytes from first to last, each with something after it.
func everyByte(first, last int, after string) string {
	var text strings.Builder
	for b := first; b <= last; b++ {
		text.WriteByte(byte(b))
		text.WriteString(after)
	}
	return text.String()
}

// Cases 6.5 to 6.23: each in one frame, as a string within JSON, where a control
// character may not stand.
func TestAutobahnText(t *testing.T) {
	table := slices.Clone(autobahnText)
	for i := 1; i <= len(greek); i++ {
		if cut := greek[:i]; utf8.ValidString(cut) {
			table[1].good = append(table[1].good, cut)
		} else {
			table[1].bad = append(table[1].bad, cut)
		}
	}
	table[17].good = []string{"\ufffe", "\uffff"}
	for plane := rune(1); plane <= 0x10; plane++ {
		table[17].good = append(table[17].good, string(plane<<16|0xfffe), string(plane<<16|0xffff))
	}
	var cases []autobahnCase
	for _, row := range table {
		for i, payload := range slices.Concat(row.good, row.bad) {
			want := "close 1007"
			switch {
			case i >= len(row.good):
			case payload < " ":
				want = "error bad_frame | close 1008"
			default:
				want = "echo " + payload + " | close 1000"
			}
			cases = append(cases, autobahnCase{fmt.Sprintf("%s.%d %s", row.group, i+1, row.name), text(echoing(payload)), want})
		}
	}
	playCases(t, cases)
}
