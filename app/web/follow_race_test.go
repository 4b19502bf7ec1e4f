package web

import (
	"fmt"
	"slices"
	"testing"

	"burble/app/client"
	"burble/streams/redistest"
)

// Clients send messages without waiting for "followed". The server must deliver every message that is
// stored after it has received the follow.
func TestMessagesSentRightAfterFollowAreDelivered(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	s := startOne(t)
	ada := s.signIn("Ada")
	for _, last := range []int{0, 1} {
		for i := range 60 {
			room := fmt.Sprintf("last-%d-%d", last, i%20) // first new rooms, then rooms with and without followers
			c := s.connect(ada)
			c.sendf(`{"type":"follow","room":%q,"last":%d}`, room, last)
			var sent []string
			for n := range 5 {
				sent = append(sent, fmt.Sprint(i, " ", n))
				c.sendf(`{"type":"send","room":%q,"key":%q,"text":%q}`, room, client.NewKey(), sent[n])
			}
			await[*client.Followed](c)
			sent = append(sent, fmt.Sprint(i, " last"))
			c.post(room, sent[5])
			var got []string
			for !slices.Contains(got, sent[5]) {
				got = append(got, c.read(room, len(got)+1)[len(got)].Text)
			}
			if last == 0 && len(got) > len(sent) || !slices.Equal(got[max(0, len(got)-len(sent)):], sent) {
				t.Errorf("last=%d: got %q, want it to end with %q", last, got, sent)
			}
			if i%20 < 10 {
				c.Cut()
			}
		}
	}
}

func TestMessagesSentRightAfterTheHeaderOfALiveReadAreDelivered(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	s := startOne(t)
	ada := s.signIn("Ada")
	for i := range 50 {
		room := fmt.Sprint("room-", i%10)
		events := s.openStream("/r/" + room + "/events?last=0")
		lines := s.openStream("/r/"+room+"/events?last=0", "Accept: application/x-ndjson")
		s.post(ada, room, fmt.Sprint(i))
		events.event()
		lines.jsonLine()
		s.post(ada, room, "last")
		if entry := events.entry(); entry.Text != fmt.Sprint(i) {
			t.Errorf("SSE: the first entry is %q, want %d", entry.Text, i)
		}
		if entry := lines.jsonLine(); entry.Text != fmt.Sprint(i) {
			t.Errorf("NDJSON: the first entry is %q, want %d", entry.Text, i)
		}
	}
}
