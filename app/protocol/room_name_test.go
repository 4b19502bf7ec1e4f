package protocol

import (
	"strings"
	"testing"

	"burble/streams"
)

func TestRoomNameFromTypedText(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ text, want string }{
		{"lobby", "lobby"}, {"a--b_-", "a--b_-"}, {"0_-", "0_-"},
		{"Lobby", "lobby"}, {" #Lobby ", "lobby"}, {"Lobby_", "lobby_"}, {"Lobby-", "lobby-"}, {"_a", "a"}, {"-a", "a"}, {"-_- A", "a"},
		{"Überraschung", "uberraschung"}, {"Café Müller", "cafe-muller"}, {"Cafe\u0301 Mu\u0308ller", "cafe-muller"},
		{"straße", "strasse"}, {"œuvre", "oeuvre"}, {"İstanbul", "istanbul"}, {"Łódź", "lodz"}, {"Tiếng Việt", "tieng-viet"},
		{"Привет, мир!", "privet-mir"}, {"большой", "bolshoi"}, {"Ελληνικά", "ellenika"}, {"עברית", "bryt"},
		{"北京", "bei-jing"}, {"東京タワー", "dong-jing-tawa"}, {"한국어 방", "hangugeo-bang"}, {"한국어 방", "hangugeo-bang"},
		{"what’s up?", "whats-up"}, {"C++ & C#", "c-c"}, {"a - b", "a-b"}, {"a/b", "a-b"}, {"//evil.example", "evil-example"}, {"a\r\nb\x00", "a-b"},
		{"ＬＯＢＢＹ", "lobby"}, {"𝓛𝓸𝓫𝓫𝔂", "lobby"}, {"🎉 party 🎉", "party"}, {"\u202elobby", "lobby"}, {"a\u00a0b", "a-b"},
		{"", ""}, {"🎉", ""}, {"-", ""}, {"_-_", ""}, {"?!", ""}, {"\ufffd", ""},
		{strings.Repeat("Ä", 64), strings.Repeat("a", 64)}, {strings.Repeat("a", 65), ""}, {strings.Repeat("ä", 65), ""},
	} {
		got, err := RoomName(test.text)
		if got != test.want || (err != nil) != (test.want == "") {
			t.Errorf("RoomName(%q): got %q, %v; want %q", test.text, got, err, test.want)
		}
		if err != nil && AsError(err).Code != BadRoom {
			t.Errorf("RoomName(%q): got %v, want bad_room", test.text, err)
		}
	}
}

func FuzzRoomName(f *testing.F) {
	f.Add("Café Müller")
	f.Add("a\xff\x00 - ")
	f.Fuzz(func(t *testing.T, text string) {
		name, err := RoomName(text)
		if again, _ := RoomName(name); err == nil && (streams.CheckRoom(name) != nil || again != name) {
			t.Errorf("RoomName(%q) = %q, and RoomName of that = %q; want a valid name that does not change", text, name, again)
		}
	})
}
