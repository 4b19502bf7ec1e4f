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
		ofAda := here.connect(ada)
		ofAda.follow("lobby", "")
		if present := awaitWhere(ofAda, hasCount(1)); present.Users[0].Name != "Ada" {
			t.Errorf("present: %+v", present)
		}

		ofBob := there.connect(bob)
		ofBob.follow("lobby", "")
		present := awaitWhere(ofBob, hasCount(2))
		if !slices.Contains(present.Users, ada.User) || !slices.Contains(present.Users, bob.User) {
			t.Errorf("present: %+v", present)
		}
		awaitWhere(ofAda, isSignal("came", bob))
		ofBob.send(`{"type":"typing","room":"lobby"}`)
		ofBob.send(`{"type":"typing","room":"lobby"}`) // not signalled again within 3 s
		awaitWhere(ofAda, isSignal("typing", bob))
		ofBob.send(`{"type":"unfollow","room":"lobby"}`)
		left := awaitWhere(ofAda, func(signal *client.Signal) bool {
			if signal.Kind == "typing" {
				t.Error("typing was signalled twice within 3 s")
			}
			return signal.Kind == "left"
		})
		if left.User != bob.User {
			t.Errorf("left: %+v", left)
		}
	})
}

// A user who is connected with two tokens of different names is shown to everyone with the later name,
// whichever connection joins last, on whichever server.
func TestNewNameReplacesTheOldOneEverywhere(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		here, there := startServer(t, backend.Redis, leaveSoon), startServer(t, backend.Redis, leaveSoon)
		ada, bob := here.signIn("Ada"), there.signIn("Bob")
		ofBob := there.connect(bob)
		ofBob.follow("lobby", "")
		first := here.connect(ada)
		first.follow("lobby", "")
		await[*client.Present](first)
		awaitWhere(ofBob, isSignal("came", ada))

		// Tabs on both servers follow with the new names, and the first tab again with the oldest.
		for i, name := range []string{"Countess", "Lovelace", "Augusta"} {
			server := []*testServer{there, here}[i%2]
			server.postJSON("/session", `{"name":`+quote(name)+`}`, ada.bearer()).decode(t, &ada)
			server.connect(ada).follow("lobby", "")
			awaitWhere(ofBob, isSignal("came", ada))
			first.send(`{"type":"unfollow","room":"lobby"}`)
			first.follow("lobby", "")
			// A list that an earlier signal may have overtaken is sent again, and may come first.
			awaitWhere(first, func(present *client.Present) bool { return slices.Contains(present.Users, ada.User) })
		}

		carol := here.signIn("Carol")
		ofCarol := here.connect(carol)
		ofCarol.follow("lobby", "")
		awaitWhere(ofBob, func(signal *client.Signal) bool {
			if signal.Kind == "came" && signal.User.ID == ada.ID {
				t.Errorf("the name changed back: %+v", signal.User)
			}
			return signal.User.ID == carol.ID
		})
		if present := await[*client.Present](ofCarol); !slices.Contains(present.Users, ada.User) {
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
	ofAda := here.connect(ada)
	ofAda.send(`{"type":"follow","room":"lobby","last":0,"watch":true}`)
	awaitWhere(ofAda, hasCount(0))
	ofBob := there.connect(bob)
	ofBob.follow("lobby", "")
	if present := awaitWhere(ofBob, hasCount(1)); present.Users[0] != bob.User {
		t.Errorf("present: %+v", present)
	}
	awaitWhere(ofAda, isSignal("came", bob))
	ofAda.follow("lobby", "")
	awaitWhere(ofAda, hasCount(2))
	ofAda.follow("lobby", `,"last":0,"watch":true`)
	ofAda.send(`{"type":"typing","room":"lobby"}`) // has no effect
	left := awaitWhere(ofBob, func(signal *client.Signal) bool { return signal.Kind != "came" })
	if left.Kind != "left" || left.User != ada.User {
		t.Errorf("after Ada stopped following and only watches: %+v", left)
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

		phone, laptop, ofAda := here.connect(bob), there.connect(bob), there.connect(ada)
		for _, c := range []*testSocket{phone, laptop, ofAda} {
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
		ofAda.sync()
		for _, frame := range ofAda.waiting {
			if signal, ok := frame.Frame.(*client.Signal); ok && signal.Kind == "read" {
				t.Errorf("Ada received %s", frame.text)
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
			t.Errorf("entry: %+v", entry)
		}
		var rooms []client.Room
		s.get("/rooms").decode(t, &rooms)
		if len(rooms) != 1 || rooms[0].Title != "Tea and cake" {
			t.Errorf("rooms: %+v", rooms)
		}
		c.sendf(`{"type":"topic","room":"lobby","key":"%s","text":"%s"}`, client.NewKey(), strings.Repeat("x", protocol.MaxTopic+1))
		if refused := await[*client.Error](c); refused.Code != "too_long" || refused.Field != "text" {
			t.Errorf("topic of MaxTopic+1 characters: %+v", refused)
		}
	})
}
