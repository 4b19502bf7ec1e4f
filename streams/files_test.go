package streams_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

// upload adds a picture that the user has uploaded to the room.
func upload(t testing.TB, by streams.Access, room, name string) streams.File {
	t.Helper()
	file := streams.File{
		ID: rand.Text(), Name: name, Type: "image/png", Size: 1 << 33, Width: 640, Height: 480, Color: "#a0b0c0",
		Hash: strings.Repeat("ab", 32), Thumbnail: strings.Repeat("cd", 32), ThumbnailType: "image/jpeg",
	}
	if err := by.AddFile(context.Background(), room, file); err != nil {
		t.Fatal(err)
	}
	return file
}

// send sends a message with the files. Append needs only their IDs and Alt texts.
func send(by streams.Access, room, text string, files ...streams.File) (streams.Stored, error) {
	return by.Append(context.Background(), room, withFiles(text, files...))
}

func withFiles(text string, files ...streams.File) streams.Entry {
	entry := streams.Entry{Kind: streams.Message, Key: uuid.NewString(), Text: text}
	for _, file := range files {
		entry.Files = append(entry.Files, streams.File{ID: file.ID, Alt: file.Alt})
	}
	return entry
}

func TestMessagesHaveFiles(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		ctx, by := t.Context(), store.As(ada)
		first, second, picture := upload(t, by, "lobby", `a "b\c" d}é.png`), upload(t, by, "lobby", "b.png"), upload(t, by, "lobby", "c.png")
		second.Alt = "a cat / <b>\"\u00e9\u2028\x7f"
		message := withFiles("", first, second)
		message.Preview = &streams.Preview{URL: "https://example.org/?a=1&b=2", Title: `T "q" }`, Site: "Example", File: &streams.File{ID: picture.ID}}
		f := follow(t, store, "lobby", streams.Newest(10))
		f.nextState()
		stored, err := by.Append(ctx, "lobby", message)
		if err != nil {
			t.Fatal(err)
		}
		id := stored.Cursor.ID
		plain := withFiles("a card without a picture")
		plain.Preview = &streams.Preview{URL: "https://example.org/", Title: "Title", Description: "Text"}
		if _, err := by.Append(ctx, "lobby", plain); err != nil {
			t.Fatal(err)
		}
		amend(t, store, streams.Edit, id, "edited")

		wantPreview := *message.Preview
		wantPreview.File = &picture
		check := func(what string, entry streams.Entry) {
			t.Helper()
			if want := []streams.File{first, second}; !reflect.DeepEqual(entry.Files, want) {
				t.Errorf("%s: got files %+v, want %+v", what, entry.Files, want)
			}
			if !reflect.DeepEqual(entry.Preview, &wantPreview) {
				t.Errorf("%s: got preview %+v, want %+v", what, entry.Preview, wantPreview)
			}
		}
		f.expect(3)
		check("reader", f.entries[0])
		entries := page(t, store, streams.PageQuery{Limit: 10}).Entries
		check("page after an edit", entries[0])
		if entries[0].Text != "edited" || !reflect.DeepEqual(entries[1].Preview, plain.Preview) || entries[1].Files != nil {
			t.Errorf("got %+v and %+v, want the edited text and the plain preview", entries[0], entries[1])
		}
		for n, want := range map[int]streams.File{0: first, 1: second, streams.PreviewPicture: picture} {
			if got, err := store.As(bob).File(ctx, "lobby", id, n); err != nil || got != want {
				t.Errorf("File(%d) = %+v, %v, want %+v", n, got, err, want)
			}
		}
		never := streams.ID{Millis: 1, Seq: 1}
		for what, file := range map[string]struct {
			of streams.ID
			n  int
		}{"a third": {id, 2}, "number -2": {id, -2}, "the zero ID": {streams.ID{}, 0}, "an unknown message": {never, 0}, "an edit": {f.entries[2].ID, 0}} {
			if _, err := by.File(ctx, "lobby", file.of, file.n); !errors.Is(err, streams.ErrNotFound) {
				t.Errorf("%s: got error %v, want ErrNotFound", what, err)
			}
		}
		amend(t, store, streams.Delete, id, "")
		deleted := page(t, store, streams.PageQuery{Limit: 10}).Entries[0]
		if _, err := by.File(ctx, "lobby", id, 0); !errors.Is(err, streams.ErrNotFound) || deleted.Files != nil || deleted.Preview != nil {
			t.Errorf("after the deletion: got error %v and %+v, want ErrNotFound and no files", err, deleted)
		}
	})
}

func TestFilesAreSentOnceByTheirUserInTheirRoom(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		ctx, by, other := t.Context(), store.As(ada), roomInSameBucket("lobby")
		used, unused, picture := upload(t, by, "lobby", "a"), upload(t, by, "lobby", "b"), upload(t, by, "lobby", "c")
		message := withFiles("once", used)
		stored, err := by.Append(ctx, "lobby", message)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := by.Append(ctx, "lobby", message); err != nil || !again.Repeated || again.Cursor != stored.Cursor {
			t.Errorf("retry: got %+v, %v, want it repeated", again, err)
		}
		preview := withFiles("")
		preview.Preview = &streams.Preview{URL: "https://example.org/", File: &used}
		twice := withFiles("", picture)
		twice.Preview = &streams.Preview{URL: "https://example.org/", File: &picture}
		unknown := streams.File{ID: rand.Text()}
		for what, test := range map[string]struct {
			by    streams.Access
			room  string
			entry streams.Entry
		}{
			"a file that was sent":              {by, "lobby", withFiles("x", used)},
			"a sent file among others":          {by, "lobby", withFiles("x", unused, used)},
			"another user's file":               {store.As(bob), "lobby", withFiles("x", unused)},
			"another room's file":               {by, other, withFiles("x", unused)},
			"a file of another bucket's room":   {by, "elsewhere", withFiles("x", unused)},
			"a file that was never uploaded":    {by, "lobby", withFiles("x", unknown)},
			"the same file twice":               {by, "lobby", withFiles("x", unused, unused)},
			"an invalid ID":                     {by, "lobby", withFiles("x", streams.File{ID: "../x"})},
			"a preview of a file that was sent": {by, "lobby", preview},
			"the same file as a preview too":    {by, "lobby", twice},
		} {
			before := mustPage(t, by, "lobby").AsOf
			if _, err := test.by.Append(ctx, test.room, test.entry); !errors.Is(err, streams.ErrNoFile) {
				t.Errorf("%s: got error %v, want ErrNoFile", what, err)
			}
			if after := mustPage(t, by, "lobby").AsOf; after != before {
				t.Errorf("%s: Append returned an error, but stored an entry", what)
			}
		}
		// A refused append leaves its other files as they were.
		if _, err := send(by, "lobby", "", unused, picture); err != nil {
			t.Errorf("the other files after the refusals: got error %v, want none", err)
		}
	})
}

// If a room is lost while a send is retried, the retry stores the message with its files again.
func TestFilesOfALostMessageAreSentAgain(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		by := store.As(ada)
		message := withFiles("look", upload(t, by, "lobby", "a"))
		if _, err := by.Append(t.Context(), "lobby", message); err != nil {
			t.Fatal(err)
		}
		if err := backend.Client.Del(t.Context(), lobbyKey).Err(); err != nil {
			t.Fatal(err)
		}
		stored, err := by.Append(t.Context(), "lobby", message)
		if err != nil || stored.Repeated {
			t.Fatalf("after the room was lost: got %+v, %v, want a new entry", stored, err)
		}
		if _, err := by.File(t.Context(), "lobby", stored.Cursor.ID, 0); err != nil {
			t.Errorf("file of the new entry: got error %v, want none", err)
		}
	})
}

// A user who may not write may not upload either, and gets the same error as for a message.
func TestUploadsNeedTheRightToPost(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		ctx, owner := t.Context(), store.AsRanked(ada, streams.Owner)
		room := privateRoom(t, store, 3)
		file := upload(t, asAccount(store, 1), room, "a.png")
		stored, err := send(asAccount(store, 1), room, "look", file)
		if err != nil {
			t.Fatal(err)
		}
		unsent := upload(t, asAccount(store, 1), room, "b.png")
		set := func(room string, entry streams.Entry) {
			t.Helper()
			entry.Key = uuid.NewString()
			by := owner
			if streams.IsHidden(room) {
				by = asAccount(store, 0)
			}
			if _, err := by.Append(ctx, room, entry); err != nil {
				t.Fatal(err)
			}
		}
		set(room, streams.Entry{Kind: streams.MemberChanged, Member: account(1), Role: streams.NoRole})
		set(room, streams.Entry{Kind: streams.MemberChanged, Member: account(2), Role: streams.Ordinary, MutedUntil: time.Now().Add(time.Hour)})
		for _, public := range []string{"locked", "archived"} {
			post(t, store, public, "first")
			set(public, streams.Entry{Kind: streams.SettingsChanged, Settings: streams.Settings{Locked: public == "locked", Archived: public == "archived"}})
		}
		never := "p" + room[2:] + "a"
		for what, test := range map[string]struct {
			by   streams.Access
			room string
			want error
		}{
			"a removed member":       {asAccount(store, 1), room, streams.ErrHidden},
			"a stranger":             {asAccount(store, 5), room, streams.ErrHidden},
			"an owner":               {owner, room, streams.ErrHidden},
			"a guest":                {store.As(ada), room, streams.ErrHidden},
			"a room never created":   {asAccount(store, 0), never, streams.ErrHidden},
			"the audit room":         {owner, streams.AuditRoom, streams.ErrHidden},
			"a muted member":         {asAccount(store, 2), room, streams.ErrMuted},
			"a member":               {asAccount(store, 0), room, nil},
			"a locked room":          {store.As(bob), "locked", streams.ErrLocked},
			"an owner, locked room":  {owner, "locked", nil},
			"an archived room":       {owner, "archived", streams.ErrArchived},
			"a room without entries": {store.As(bob), "new", nil},
		} {
			message := withFiles("hi")
			if _, err := test.by.Append(ctx, test.room, message); !errors.Is(err, test.want) {
				t.Errorf("%s: a message got error %v, want %v", what, err, test.want)
			}
			if err := test.by.CheckUpload(ctx, test.room); !errors.Is(err, test.want) {
				t.Errorf("%s: CheckUpload returned %v, want %v", what, err, test.want)
			}
			added := streams.File{ID: rand.Text(), Name: "x"}
			if err := test.by.AddFile(ctx, test.room, added); !errors.Is(err, test.want) {
				t.Errorf("%s: AddFile returned %v, want %v", what, err, test.want)
			}
			if isStored := strings.Contains(strings.Join(backend.Keys(t), " "), added.ID); isStored != (test.want == nil) {
				t.Errorf("%s: the file's record exists: got %v, want %v", what, isStored, test.want == nil)
			}
			if test.room != room {
				continue
			}
			want := test.want
			if errors.Is(want, streams.ErrMuted) {
				want = nil // they may read
			}
			if _, err := test.by.File(ctx, room, stored.Cursor.ID, 0); !errors.Is(err, want) {
				t.Errorf("%s: File returned %v, want %v", what, err, want)
			}
		}
		if _, err := send(asAccount(store, 1), room, "", unsent); !errors.Is(err, streams.ErrHidden) {
			t.Errorf("a removed member who sends an upload got error %v, want ErrHidden", err)
		}
	})
}

// If another program or a newer release has written invalid files into a message, its text must still be shown.
func TestDamagedFilesDoNotHideTheText(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		values := []string{`{`, `null`, `[1]`, `{"id":1}`, `[{"size":"x"}]`, `[{"id":{}}]`, ``, `"x"`, `{"url":1}`, `{"url":""}`, `[null]`}
		f := follow(t, store, "lobby", streams.Newest(50))
		f.nextState()
		var last streams.ID
		for i, value := range values {
			text := "text-" + strconv.Itoa(i)
			add := []any{"XADD", lobbyKey, "*", "kind", "message", "n", i*2 + 1, "m", i*2 + 1, "uid", ada.ID, "name", "Ada", "text", text, "files", value, "preview", value}
			id, err := backend.Client.Do(t.Context(), add...).Text()
			if err != nil {
				t.Fatal(err)
			}
			last, _ = streams.ParseID(id)
			post(t, store, "lobby", "after")
			f.expect(2*i + 2)
			if entry := f.entries[2*i]; entry.Text != text || entry.Files != nil || entry.Preview != nil {
				t.Errorf("%s: got %+v, want only the text", value, entry)
			}
		}
		nextMillisecond()
		if stored, err := store.As(ada).Append(t.Context(), "lobby", streams.Entry{Kind: streams.Delete, Key: uuid.NewString(), Of: last}); err != nil || stored.HadFiles {
			t.Errorf("deletion: got %+v, %v, want no files", stored, err)
		}
	})
}

func TestWindowsCountFiles(t *testing.T) {
	t.Parallel()
	store := redistest.Open(t, streams.Options{Redis: redistest.Single(t).Redis})
	f := follow(t, store, "lobby", streams.Newest(10))
	f.nextState()
	size := func() int { return streams.WindowsBytes(store) }
	post(t, store, "lobby", "x")
	f.expect(1)
	plain := size()
	var files []streams.File
	for i := range 10 {
		files = append(files, upload(t, store.As(ada), "lobby", fmt.Sprint(strings.Repeat("n", 200), i)))
	}
	if _, err := send(store.As(ada), "lobby", "x", files...); err != nil {
		t.Fatal(err)
	}
	f.expect(2)
	if grown := size() - plain; grown < 10*500 {
		t.Errorf("a message with 10 files counts as %d bytes, want at least 5000", grown)
	}
}
