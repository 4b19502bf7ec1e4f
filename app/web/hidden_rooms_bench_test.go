package web

import (
	"fmt"
	"net/http"
	"testing"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

// BenchmarkRoomPage requests the pages of rooms and the list of rooms for a member of 1,000 private rooms, one of
// which has 10,000 members.
func BenchmarkRoomPage(b *testing.B) {
	s := startServer(b, redistest.Start(b).Redis())
	user, _ := s.upgrade(s.signIn("Ada"))
	as := s.store.AsRanked(streams.User{ID: user.ID, Name: user.Name}, streams.Account)
	create := func(members int) (room string) {
		others := make([]streams.User, members)
		for i := range others {
			others[i] = streams.User{ID: uuid.NewString(), Name: fmt.Sprint("Member ", i)}
		}
		room, err := as.CreatePrivate(b.Context(), "Launch", others)
		if err != nil {
			b.Fatal(err)
		}
		return room
	}
	large, small := create(10_000), create(10)
	for range 998 {
		create(1)
	}
	s.post(user, "lobby", "hello")
	for range 50 {
		s.post(user, large, "hello")
		s.post(user, small, "hello")
	}
	for _, page := range []struct{ name, path, accept string }{
		{"public room", "/r/lobby", "text/html"},
		{"private room", "/r/" + small, "text/html"},
		{"10,000 members", "/r/" + large, "text/html"},
		{"messages of 10,000 members", "/r/" + large + "/messages", "application/json"},
		{"rooms", "/rooms", "application/json"},
	} {
		b.Run(page.name, func(b *testing.B) {
			for b.Loop() {
				if got := s.get(page.path, user.bearer(), "Accept: "+page.accept); got.status != http.StatusOK {
					b.Fatal(got.status, got.body)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1000, "ms/page")
		})
	}
}
