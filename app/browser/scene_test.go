//go:build unix

package browser

import (
	"testing"

	"burble/app/apptest"
	"burble/streams/redistest"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// scene is a day of talk in the lobby, with everything in it that a page can show.
// The tests that look at pages as a whole look at this one.
type scene struct {
	t *testing.T
	*apptest.Server
	redis  *redistest.Server
	ada    *browserPerson // looks at it
	tokens map[string]string
	wrote  []string // message IDs of the talk, in order
}

const snippet = "Nothing lost, nothing twice. Every client went on from its **cursor**:\n" +
	"```go\nfor {\n\tread, err := reader.Next(ctx)\n\t// what was missed, then what comes\n}\n```"

// lines are what is said, and how many minutes ago.
var lines = []struct {
	ago     int
	who     string
	text    string
	replyTo int // an index of lines; 0: none
}{
	{1450, "Grace", "The new tail is in. I killed two of the three servers while everybody was writing.", 0},
	{1449, "Linus", "And?", 0},
	{1446, "Grace", snippet, 0},
	{1440, "Ada", "One read for history, live and missed. I like it.", 2},
	{1439, "Ada", "🎉", 0},
	{62, "Hedy", "Morning! Who takes the *deploy* today?", 0},
	{60, "Margaret", "Me. The list:\n\n1. staging\n2. ten minutes of coffee\n3. everywhere else", 0},
	{58, "Linus", "Wrong room, sorry", 0},
	{41, "Hedy", "Staging looks good: https://status.example.com/staging", 0},
	{40, "Ada", "Then go. I watch the graphs.", 8},
	{12, "Margaret", "Done. Twelve seconds, and not one page had to be loaded again.", 0},
	{3, "Grace", "@Ada, do the graphs agree?", 0},
	{2, "Grace", "I see the sockets move over, and no sends refused.", 0},
}

// newScene tells the talk. Ada has a name, has seen nothing of it, and is at home.
func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{t: t, redis: redistest.Start(t), ada: newBrowserPerson(t, "Ada"), tokens: make(map[string]string)}
	s.Server = apptest.Start(t, s.redis)
	s.ada.open(s.Server, "/")
	s.tokens["Ada"] = see[string](s.ada, `fetch("/session", {method: "POST", headers: {"Content-Type": "application/json"}, body: '{"name":"Ada"}'})
		.then((answer) => answer.json()).then(({ token }) => token)`)
	for _, name := range []string{"Grace", "Linus", "Hedy", "Margaret"} {
		s.tokens[name] = s.SignIn(name)
	}
	for _, other := range []struct{ room, topic string }{
		{"music", ""}, {"design", "Pictures welcome"}, {"deploy", "Who ships what, and when"}, {"lobby", "Where we say hello"},
	} {
		s.says("Linus", other.room, map[string]any{"type": "topic", "text": other.topic})
	}
	s.tell()
	return s
}

// tell tells the talk, and then moves it to when it was.
func (s *scene) tell() {
	for _, line := range lines {
		frame := map[string]any{"type": "send", "text": line.text}
		if line.replyTo > 0 {
			frame["reply_to"] = s.wrote[line.replyTo]
		}
		s.wrote = append(s.wrote, s.says(line.who, "lobby", frame))
	}
	s.backdate()
	s.says("Linus", "lobby", map[string]any{"type": "delete", "of": s.wrote[7]})
	s.says("Hedy", "lobby", map[string]any{"type": "edit", "of": s.wrote[5], "text": "Morning! Who takes the **deploy** today?"})
	for _, reaction := range []struct {
		who, emoji string
		to         int
	}{{"Ada", "🚀", 10}, {"Grace", "🚀", 10}, {"Hedy", "🚀", 10}, {"Linus", "👀", 10}, {"Hedy", "❤️", 3}, {"Grace", "👍", 3}} {
		s.says(reaction.who, "lobby", map[string]any{"type": "react", "of": s.wrote[reaction.to], "emoji": reaction.emoji, "on": true})
	}
}

// says has somebody send a frame, waits until it is stored, and returns the entry ID.
func (s *scene) says(who, room string, frame map[string]any) string {
	s.t.Helper()
	socket, err := dial(s.URL(), s.tokens[who])
	if err != nil {
		s.t.Fatal(err)
	}
	defer socket.cut()
	frame["room"], frame["key"] = room, uuid.NewString()
	if err := socket.say(frame); err != nil {
		s.t.Fatal(err)
	}
	answer, err := socket.hear()
	if err != nil || answer.Type != "stored" {
		s.t.Fatalf("%s said %v and heard %+v %v", who, frame, answer, err)
	}
	return answer.ID
}

// backdate gives the lobby's entries the IDs of when they are said to have been
// written. Nobody has seen them yet, so nobody can tell.
func (s *scene) backdate() {
	s.t.Helper()
	client := s.redis.Client()
	defer client.Close()
	args := []any{lines[0].ago} // of the topic
	for _, line := range lines {
		args = append(args, line.ago)
	}
	moved, err := client.Eval(s.t.Context(), `
		local moved, present = {}, redis.call('XRANGE', KEYS[1], '-', '+')
		redis.call('DEL', KEYS[1])
		for i, entry in ipairs(present) do
			local id, fields = unpack(entry)
			moved[id] = string.format('%.0f-%d', string.match(id, '^%d+') - ARGV[i] * 60000, i)
			for j, value in ipairs(fields) do fields[j] = moved[value] or value end
			redis.call('XADD', KEYS[1], moved[id], unpack(fields))
			present[i] = moved[id]
		end
		return present`, []string{s.key(client)}, args...).StringSlice()
	if err != nil {
		s.t.Fatal(err)
	}
	s.wrote = moved[1:]
}

// trim trims the lobby by hand.
func (s *scene) trim(most int64) {
	s.t.Helper()
	client := s.redis.Client()
	defer client.Close()
	if err := client.XTrimMaxLen(s.t.Context(), s.key(client), most).Err(); err != nil {
		s.t.Fatal(err)
	}
}

// key is where the lobby is in Redis.
func (s *scene) key(client *redis.Client) string {
	s.t.Helper()
	keys, err := client.Keys(s.t.Context(), "*:room:lobby").Result()
	if err != nil || len(keys) != 1 {
		s.t.Fatalf("keys %q: %v", keys, err)
	}
	return keys[0]
}
