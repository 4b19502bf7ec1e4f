package web

import (
	"slices"
	"strings"
	"testing"
	"time"

	"burble/app/client"
	"burble/app/protocol"
	"burble/streams/redistest"
)

// leaveSoon makes the server report users as gone soon after their last connection ends.
func leaveSoon(set *settings) { set.LeaveGrace = 100 * time.Millisecond }

// isSignal returns a filter for awaitWhere: signals of the kind from the user.
func isSignal(kind string, user testUser) func(*client.Signal) bool {
	return func(signal *client.Signal) bool { return signal.Kind == kind && signal.User == user.User }
}

// hasCount returns a filter for awaitWhere: frames with the given count.
func hasCount(count int) func(*client.Present) bool {
	return func(present *client.Present) bool { return present.Count == count }
}

func TestPresenceAndTypingAcrossServers(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		here, there := startServer(t, backend.Redis, leaveSoon), startServer(t, backend.Redis, leaveSoon)
		ada, bob := here.signIn("Ada"), here.signIn("Bob")
		adaSocket := here.connect(ada)
		adaSocket.follow("lobby", "")
		if present := awaitWhere(adaSocket, hasCount(1)); present.Users[0].Name != "Ada" {
			t.Errorf("present: %+v, want Ada", present)
		}

		bobSocket := there.connect(bob)
		bobSocket.follow("lobby", "")
		present := awaitWhere(bobSocket, hasCount(2))
		if !slices.Contains(present.Users, ada.User) || !slices.Contains(present.Users, bob.User) {
			t.Errorf("present: %+v, want Ada and Bob", present)
		}
		awaitWhere(adaSocket, isSignal("came", bob))
		bobSocket.send(`{"type":"typing","room":"lobby"}`)
		bobSocket.send(`{"type":"typing","room":"lobby"}`) // not signaled again within 3 s
		awaitWhere(adaSocket, isSignal("typing", bob))
		bobSocket.send(`{"type":"unfollow","room":"lobby"}`)
		left := awaitWhere(adaSocket, func(signal *client.Signal) bool {
			if signal.Kind == "typing" {
				t.Error("typing was signaled twice within 3 s")
			}
			return signal.Kind == "left"
		})
		if left.User != bob.User {
			t.Errorf("%+v left, want Bob", left.User)
		}
	})
}

// If a user is connected with two tokens for different names, everyone sees the later name, whichever
// connection joined last, and on whichever server.
func TestNewNameReplacesTheOldOneEverywhere(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		here, there := startServer(t, backend.Redis, leaveSoon), startServer(t, backend.Redis, leaveSoon)
		ada, bob := here.signIn("Ada"), there.signIn("Bob")
		bobSocket := there.connect(bob)
		bobSocket.follow("lobby", "")
		first := here.connect(ada)
		first.follow("lobby", "")
		await[*client.Present](first)
		awaitWhere(bobSocket, isSignal("came", ada))

		// Tabs on both servers follow with the new names, and the first tab follows again with the oldest.
		for i, name := range []string{"Countess", "Lovelace", "Augusta"} {
			server := []*testServer{there, here}[i%2]
			server.postJSON("/session", `{"name":`+quote(name)+`}`, ada.bearer()).decode(t, &ada)
			server.connect(ada).follow("lobby", "")
			awaitWhere(bobSocket, isSignal("came", ada))
			first.send(`{"type":"unfollow","room":"lobby"}`)
			first.follow("lobby", "")
			// The server may first send an older list again, in case a signal has overtaken it.
			awaitWhere(first, func(present *client.Present) bool { return slices.Contains(present.Users, ada.User) })
		}

		carol := here.signIn("Carol")
		carolSocket := here.connect(carol)
		carolSocket.follow("lobby", "")
		awaitWhere(bobSocket, func(signal *client.Signal) bool {
			if signal.Kind == "came" && signal.User.ID == ada.ID {
				t.Errorf("the name changed back: %+v", signal.User)
			}
			return signal.User.ID == carol.ID
		})
		if present := await[*client.Present](carolSocket); !slices.Contains(present.Users, ada.User) {
			t.Errorf("present: %+v, want %+v", present.Users, ada.User)
		}
	})
}

// A watcher reads a room and sees who is present, but is not present.
func TestWatchersAreNotPresent(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t).Redis()
	here, there := startServer(t, redis, leaveSoon), startServer(t, redis, leaveSoon)
	ada, bob := here.signIn("Ada"), here.signIn("Bob")
	adaSocket := here.connect(ada)
	adaSocket.send(`{"type":"follow","room":"lobby","last":0,"watch":true}`)
	awaitWhere(adaSocket, hasCount(0))
	bobSocket := there.connect(bob)
	bobSocket.follow("lobby", "")
	if present := awaitWhere(bobSocket, hasCount(1)); present.Users[0] != bob.User {
		t.Errorf("present: %+v, want only Bob", present)
	}
	awaitWhere(adaSocket, isSignal("came", bob))
	adaSocket.follow("lobby", "")
	awaitWhere(adaSocket, hasCount(2))
	adaSocket.follow("lobby", `,"last":0,"watch":true`)
	adaSocket.send(`{"type":"typing","room":"lobby"}`) // has no effect
	left := awaitWhere(bobSocket, func(signal *client.Signal) bool { return signal.Kind != "came" })
	if left.Kind != "left" || left.User != ada.User {
		t.Errorf("after Ada began to watch: got %+v, want her to have left", left)
	}
}

func TestReadMarkerReachesOnlyTheUsersOtherDevices(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		here, there := startTwo(t, backend.Redis)
		ada, bob := here.signIn("Ada"), here.signIn("Bob")
		first := here.post(ada, "lobby", "one").ID
		here.post(ada, "lobby", "two")
		last := here.post(ada, "lobby", "three for @bob").ID

		phone, laptop, adaSocket := here.connect(bob), there.connect(bob), there.connect(ada)
		for _, c := range []*testSocket{phone, laptop, adaSocket} {
			c.follow("lobby", "")
		}
		phone.sendf(`{"type":"read","room":"lobby","id":"%s"}`, first)
		if read := awaitWhere(laptop, isSignal("read", bob)); read.ID != first {
			t.Errorf("read: %+v, want %s", read, first)
		}
		expectUnread(t, there, bob, 2, 1)
		laptop.sendf(`{"type":"read","room":"lobby","id":"%s"}`, last)
		awaitWhere(phone, func(signal *client.Signal) bool { return signal.Kind == "read" && signal.ID == last })
		expectUnread(t, here, bob, 0, 0)
		adaSocket.sync()
		for _, frame := range adaSocket.waiting {
			if signal, ok := frame.Frame.(*client.Signal); ok && signal.Kind == "read" {
				t.Errorf("Ada received %s, want no read marker of Bob", frame.text)
			}
		}
	})
}

// expectUnread checks the user's list of rooms, which must contain only the lobby.
func expectUnread(t *testing.T, server *testServer, user testUser, unread, mentions int) {
	t.Helper()
	var rooms []client.Room
	server.get("/rooms", user.bearer()).decode(t, &rooms)
	if len(rooms) != 1 || rooms[0].Room != "lobby" || rooms[0].Unread != unread || rooms[0].Mentions != mentions {
		t.Errorf("rooms: %+v; want %d unread, %d mentions", rooms, unread, mentions)
	}
}

func TestTopicReachesReadersAndTheListOfRooms(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		s := startServer(t, backend.Redis)
		c := s.connect(s.signIn("Ada"))
		c.follow("lobby", "")
		c.appendf(`{"type":"topic","room":"lobby","key":"%s","text":" Tea  and\ncake "}`, client.NewKey())
		if entry := c.read("lobby", 1)[0]; entry.Kind != "topic" || entry.Text != "Tea and cake" {
			t.Errorf("read %+v, want the topic with its spaces collapsed", entry)
		}
		var rooms []client.Room
		s.get("/rooms").decode(t, &rooms)
		if len(rooms) != 1 || rooms[0].Title != "Tea and cake" {
			t.Errorf("rooms: %+v, want the topic of the lobby", rooms)
		}
		c.sendf(`{"type":"topic","room":"lobby","key":"%s","text":"%s"}`, client.NewKey(), strings.Repeat("x", protocol.MaxTopic+1))
		if refused := await[*client.Error](c); refused.Code != "too_long" || refused.Field != "text" {
			t.Errorf("topic of MaxTopic+1 characters: got %+v, want too_long for text", refused)
		}
	})
}
