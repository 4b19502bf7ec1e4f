//go:build unix

package browser

import (
	"testing"

	"burble/app/apptest"
	"burble/streams/redistest"
)

// sample is a lobby with a day of conversation, and some other rooms. It contains everything that a
// page can show. Tests of whole pages use it.
type sample struct {
	*apptest.Server
	t      *testing.T
	redis  *redistest.Server
	site   *linkedSite       // a site to which messages may link
	ada    *user             // signed in, on the home page, and has read nothing
	guests map[string]*guest // by name, including Ada
	ids    []string          // IDs of sampleMessages
}

const sampleCode = "No losses, no duplicates. Every client resumed from its **cursor**:\n" +
	"```go\nfor {\n\tread, err := reader.Next(ctx)\n\t// missed entries first, then new ones\n}\n```"

// sampleMessages is the conversation in the lobby.
var sampleMessages = []struct {
	minutesAgo int
	author     string
	text       string
	replyTo    int // an index of sampleMessages; 0 means none
}{
	{1450, "Grace", "The new tail is in. I killed two of the three servers while everybody was writing.", 0},
	{1449, "Linus", "And?", 0},
	{1446, "Grace", sampleCode, 0},
	{1440, "Ada", "One read for history, live and missed messages. I like it.", 2},
	{1439, "Ada", "🎉", 0},
	{62, "Hedy", "Morning! Who’s doing the *deploy* today?", 0},
	{60, "Margaret", "Me. The list:\n\n1. staging\n2. ten minutes of coffee\n3. everywhere else", 0},
	{58, "Linus", "Wrong room, sorry", 0},
	{41, "Hedy", "Staging looks good: https://status.example.com/staging", 0},
	{40, "Ada", "Go ahead. I’ll watch the graphs.", 8},
	{12, "Margaret", "Done. Twelve seconds, and nobody had to reload a page.", 0},
	{3, "Grace", "@Ada, do the graphs agree?", 0},
	{2, "Grace", "I see the sockets moving over, and no sends refused.", 0},
}

// newSample starts a server and fills its rooms.
func newSample(t *testing.T) *sample {
	t.Helper()
	s := &sample{t: t, redis: redistest.Start(t), site: startLinkedSite(t), guests: make(map[string]*guest)}
	s.Server = apptest.Start(t, s.redis, "FILES="+t.TempDir(), s.site.env())
	s.ada = newUserWithWorker(t, "Ada") // after the server, so that her page closes before the server ends
	s.ada.open(s.Server, "/")
	s.guests["Ada"] = connect(t, s.Server, eval[string](s.ada, `fetch("/session", {method: "POST", headers: {"Content-Type": "application/json"}, body: '{"name":"Ada"}'})
		.then((response) => response.json()).then(({ token }) => token)`))
	for _, name := range []string{"Grace", "Linus", "Hedy", "Margaret"} {
		s.guests[name] = newGuest(t, s.Server, name)
	}
	for _, other := range []struct{ room, topic string }{
		{"music", ""}, {"design", "Pictures welcome"}, {"deploy", "Who ships what, and when"}, {"lobby", "Where we say hello"},
	} {
		s.guests["Linus"].setTopic(other.room, other.topic)
	}
	s.fillLobby()
	return s
}

// fillLobby sends the conversation, then edits, deletes and reacts to messages.
func (s *sample) fillLobby() {
	s.t.Helper()
	for _, message := range sampleMessages {
		author, id := s.guests[message.author], ""
		if message.replyTo > 0 {
			id = author.reply("lobby", s.ids[message.replyTo], message.text)
		} else {
			id = author.send("lobby", message.text)
		}
		s.ids = append(s.ids, id)
	}
	s.backdate()
	s.guests["Linus"].delete("lobby", s.ids[7])
	s.guests["Hedy"].edit("lobby", s.ids[5], "Morning! Who’s doing the **deploy** today?")
	for _, reaction := range []struct {
		author, emoji string
		to            int
	}{{"Ada", "🚀", 10}, {"Grace", "🚀", 10}, {"Hedy", "🚀", 10}, {"Linus", "👀", 10}, {"Hedy", "❤️", 3}, {"Grace", "👍", 3}} {
		s.guests[reaction.author].react("lobby", s.ids[reaction.to], reaction.emoji)
	}
}

// backdate replaces the lobby's entries with copies whose IDs contain the times in sampleMessages.
// No client has read the room yet, so no cursor breaks.
func (s *sample) backdate() {
	s.t.Helper()
	redis := s.redis.Client()
	defer redis.Close()
	minutes := []any{sampleMessages[0].minutesAgo} // the topic's
	for _, message := range sampleMessages {
		minutes = append(minutes, message.minutesAgo)
	}
	ids, err := redis.Eval(s.t.Context(), `
		local ids, entries = {}, redis.call('XRANGE', KEYS[1], '-', '+')
		redis.call('DEL', KEYS[1])
		for i, entry in ipairs(entries) do
			local id, fields = unpack(entry)
			ids[id] = string.format('%.0f-%d', string.match(id, '^%d+') - ARGV[i] * 60000, i)
			for j, value in ipairs(fields) do fields[j] = ids[value] or value end
			redis.call('XADD', KEYS[1], ids[id], unpack(fields))
			entries[i] = ids[id]
		end
		return entries`, []string{apptest.RoomKey(s.t, redis, "lobby")}, minutes...).StringSlice()
	if err != nil {
		s.t.Fatal(err)
	}
	s.ids = ids[1:]
}

// trim keeps only the newest entries of the lobby.
func (s *sample) trim(keep int64) {
	s.t.Helper()
	redis := s.redis.Client()
	defer redis.Close()
	if err := redis.XTrimMaxLen(s.t.Context(), apptest.RoomKey(s.t, redis, "lobby"), keep).Err(); err != nil {
		s.t.Fatal(err)
	}
}
