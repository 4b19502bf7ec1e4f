package web

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"burble/app/client"
	"burble/streams/redistest"
)

func TestFollowStartsWhereRequested(t *testing.T) {
	t.Parallel()
	here, there := startTwo(t, newMiniredis(t))
	ada := here.signIn("Ada")
	var stored []posted
	for i := range 59 {
		stored = append(stored, here.post(ada, "lobby", fmt.Sprint(i)))
	}
	// Wait until `there` has read the activity for the last message. Until then, its readers may begin before that
	// message.
	watcher := there.connect(anonymous)
	watcher.follow("lobby", `,"last":0`)
	stored = append(stored, here.post(ada, "lobby", "59"))
	for read := 1; ; read++ {
		if watcher.read("lobby", read)[read-1].ID == stored[59].ID {
			break
		}
	}
	epoch := stored[0].Cursor[strings.Index(stored[0].Cursor, "@"):]
	cursorBefore := func(i int) string { // of entry i
		if i == 0 {
			return "0-0" + epoch
		}
		return stored[i-1].Cursor
	}
	for _, test := range []struct {
		name, fields, state string
		first               int // index of the first entry
	}{
		{"the newest 50 by default", ``, "fresh", 10},
		{"the newest 3", `,"last":3`, "fresh", 57},
		{"all entries", `,"last":500`, "fresh", 0},
		{"no entries", `,"last":0`, "fresh", 60},
		{"from the beginning", `,"after":"0-0"`, "resumed", 0},
		{"from the cursor of an empty room", `,"after":"0-0@0"`, "resumed", 0},
		{"after a cursor", `,"after":"` + stored[4].Cursor + `"`, "resumed", 5},
		{"after an entry ID", `,"after":"` + stored[4].ID + `"`, "resumed", 5},
		{"after the last entry", `,"after":"` + stored[59].Cursor + `"`, "resumed", 60},
		{"after a cursor of another epoch", `,"after":"` + stored[4].ID + `@ELSEWHERE"`, "reset", 10},
		{"after a cursor beyond the last entry", `,"after":"9999999999999-0` + epoch + `"`, "reset", 10},
		{"after an entry that does not exist", `,"after":"1-1` + epoch + `"`, "reset", 10},
	} {
		t.Run(test.name, func(t *testing.T) {
			there, count := there.with(t), 60-test.first
			c := there.connect(anonymous)
			followed := c.follow("lobby", test.fields)
			if followed.Room != "lobby" || followed.State != test.state || followed.At != cursorBefore(test.first) || followed.First != "" {
				t.Errorf("followed: %+v, want state %s at %s", followed, test.state, cursorBefore(test.first))
			}
			for i, entry := range c.read("lobby", count) {
				if entry.ID != stored[test.first+i].ID {
					t.Fatalf("entry %d is %s, want %s", i, entry.ID, stored[test.first+i].ID)
				}
			}
			if c.sync(); len(c.entries["lobby"]) != count {
				t.Errorf("%d entries, want %d", len(c.entries["lobby"]), count)
			}
			// A follow in the URL has the same effect.
			inURL, _ := there.dialPath("/ws?room=lobby" + strings.NewReplacer(",", "&", ":", "=", `"`, "").Replace(test.fields))
			await[*client.Hello](inURL)
			if followedInURL := await[*client.Followed](inURL); *followedInURL != *followed {
				t.Errorf("in the URL: followed: %+v, want %+v", followedInURL, followed)
			}
			if got := inURL.read("lobby", count); !reflect.DeepEqual(got, c.entries["lobby"]) {
				t.Errorf("follow in the URL: read the entries %+v, want those after a follow frame, %+v", got, c.entries["lobby"])
			}
		})
	}
}

func TestFollowInURLWorksLikeAFollowFrame(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	ada, bob := s.signIn("Ada"), s.signIn("Bob")
	watcher, _ := s.dialPath("/ws?room=lobby&last=0&watch=true&html=true", bob.bearer())
	await[*client.Followed](watcher)
	follower, _ := s.dialPath("/ws?room=lobby", ada.bearer())
	await[*client.Followed](follower)
	want := fmt.Sprintf(`{"type":"present","room":"lobby","count":1,"users":[{"id":"%s","name":"Ada"}]}`, ada.ID)
	if present := awaitText[*client.Present](follower); present != want {
		t.Errorf("present: %s, want %s", present, want)
	}
	follower.post("lobby", "*hello*")
	if got := watcher.read("lobby", 1)[0]; got.HTML != "<p><em>hello</em></p>" {
		t.Errorf("read %+v, want HTML", got)
	}
	follower.follow("kitchen", "")
	follower.send(`{"type":"unfollow","room":"lobby"}`)
	follower.sync()
	s.post(bob, "lobby", "not for Ada")
	s.post(bob, "kitchen", "for Ada")
	if follower.read("kitchen", 1); len(follower.entries["lobby"]) != 1 {
		t.Errorf("after unfollow: got entries %+v of the lobby, want 1", follower.entries["lobby"])
	}
}

func TestLongBatchesAreCompressedOnRequest(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	ada := s.signIn("Ada")
	first := s.post(ada, "lobby", "the first")
	for range 40 {
		s.post(ada, "lobby", "*hello*, once more")
	}
	for _, html := range []string{"", `,"html":true`} {
		fields := html + `,"after":"` + first.Cursor + `"`
		plain, compressed := s.connect(anonymous), s.connect(anonymous)
		plain.follow("lobby", fields)
		compressed.follow("lobby", fields+`,"deflate":true`)
		plain.read("lobby", 40)
		compressed.read("lobby", 40)
		if got, want := compressed.batches[0].text, plain.batches[0].text; got != want {
			t.Errorf("decompressed: %s, want %s", got, want)
		}
		if long, short := plain.batches[0].size, compressed.batches[0].size; long < 3*short {
			t.Errorf("compressed %d bytes to %d, want at most a third", long, short)
		}
	}
	live := s.connect(anonymous)
	live.follow("lobby", `,"last":0,"deflate":true`)
	s.post(ada, "lobby", "short")
	live.read("lobby", 1)
	if batch := live.batches[0]; batch.size != len(batch.text) {
		t.Errorf("a short batch of %d bytes was sent as %d, want it uncompressed", len(batch.text), batch.size)
	}
}

func TestFollowingATrimmedRoomIsTruncated(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	s := startServer(t, redistest.Start(t).Redis(), func(set *settings) { set.MaxCount = 100 })
	ada := s.signIn("Ada")
	first := s.post(ada, "lobby", "the first")
	for i := range 400 {
		s.post(ada, "lobby", fmt.Sprint(i))
	}
	for _, after := range []string{"0-0", first.ID, first.Cursor} {
		plain := s.openStream("/r/lobby/events?after="+after, "Accept: text/plain")
		if line := plain.line(); !strings.HasPrefix(line, "-- Messages up to 20") {
			t.Errorf("after %s: the plain text starts with %q, want the line that reports the trimmed messages", after, line)
		}
		if line := plain.line(); !strings.Contains(line, " Ada: ") {
			t.Errorf("after %s: the second line of the plain text is %q, want a message from Ada", after, line)
		}
		c := s.connect(anonymous)
		followed := c.follow("lobby", `,"after":"`+after+`"`)
		if followed.Room != "lobby" || followed.State != client.Truncated || followed.First == "" || followed.At != followed.First {
			t.Errorf("after %s: followed: %+v, want truncated", after, followed)
		}
		// The room keeps at least MaxCount entries, and the reader gets all of them.
		if got := c.read("lobby", 100); got[0].Number < 2 || got[0].Text == "the first" {
			t.Errorf("after %s: the first entry is %+v, want one that was not trimmed", after, got[0])
		}
	}
}

func TestFollowingANewRoomGetsItsFirstEntry(t *testing.T) {
	t.Parallel()
	here, there := startTwo(t, newMiniredis(t))
	for _, fields := range []string{``, `,"after":"0-0"`, `,"after":"0-0@0"`} {
		room := "new" + fmt.Sprint(len(fields))
		c := there.connect(anonymous)
		if followed := c.follow(room, fields); followed.At != "0-0@0" {
			t.Errorf("%s: followed: %+v, want at 0-0@0", fields, followed)
		}
		first := here.connect(here.signIn("Ada")).post(room, "the first")
		if got := c.read(room, 1)[0]; got.ID != first || got.Number != 1 {
			t.Errorf("%s: got %+v, want the first entry", fields, got)
		}
	}
}

func TestUnfollowStopsEntries(t *testing.T) {
	t.Parallel()
	here, there := startTwo(t, newMiniredis(t))
	ada := here.signIn("Ada")
	c, other := there.connect(anonymous), there.connect(anonymous)
	c.follow("lobby", "")
	other.follow("lobby", "")
	here.post(ada, "lobby", "before")
	c.read("lobby", 1)
	c.send(`{"type":"unfollow","room":"lobby"}`)
	c.send(`{"type":"unfollow","room":"lobby"}`) // not an error
	c.send(`{"type":"unfollow","room":"never-followed"}`)
	c.sync()
	here.post(ada, "lobby", "after")
	other.read("lobby", 2)
	c.sync()
	if got := texts(c.entries["lobby"]); !slices.Equal(got, []string{"before"}) {
		t.Errorf("read %q, want only the entry before unfollow", got)
	}
	c.follow("lobby", `,"last":1`)
	if got := c.read("lobby", 2)[1].Text; got != "after" {
		t.Errorf("after following again: read %q, want %q", got, "after")
	}
}

func TestFollowingARoomAgainStartsOver(t *testing.T) {
	t.Parallel()
	here, there := startTwo(t, newMiniredis(t))
	ada := here.signIn("Ada")
	first := there.post(ada, "lobby", "one")
	there.post(ada, "lobby", "two")
	c := there.connect(anonymous)
	c.follow("lobby", `,"last":1`)
	c.read("lobby", 1)
	c.follow("lobby", `,"after":"`+first.Cursor+`"`)
	c.read("lobby", 2)
	c.follow("lobby", `,"after":"0-0","html":true`)
	c.read("lobby", 4)
	here.post(ada, "lobby", "three")
	got := c.read("lobby", 5)
	if want := []string{"two", "two", "one", "two", "three"}; !slices.Equal(texts(got), want) {
		t.Errorf("got %q, want %q", texts(got), want)
	}
	if got[4].HTML != "<p>three</p>" {
		t.Errorf("last entry: got %+v, want HTML, which the last follow requested", got[4])
	}
	if c.sync(); len(c.entries["lobby"]) != 5 {
		t.Errorf("%d entries, want 5: the server sent the last entry more than once", len(c.entries["lobby"]))
	}
}

func TestOneSocketFollowsSeveralRooms(t *testing.T) {
	t.Parallel()
	here, there := startTwo(t, newMiniredis(t))
	reader, writer := there.connect(anonymous), here.connect(here.signIn("Ada"))
	rooms := []string{"lobby", "dev", "0", "a-_b", strings.Repeat("z", 64)}
	for _, room := range rooms {
		reader.follow(room, "")
	}
	want := map[string][]string{}
	for i := range 20 {
		room := rooms[i%len(rooms)]
		want[room] = append(want[room], writer.post(room, fmt.Sprint(i)))
	}
	for _, room := range rooms {
		if got := ids(reader.read(room, 4)); !slices.Equal(got, want[room]) {
			t.Errorf("%s: got %v, want %v", room, got, want[room])
		}
	}
}
