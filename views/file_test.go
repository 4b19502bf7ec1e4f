package views

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// file-format.test.mjs has the same cases.
func TestFileFormats(t *testing.T) {
	var cases struct {
		Sizes      [][2]any
		Extensions [][2]string
		Thumbnails [][2][2]int
	}
	readJSON(t, "testdata/files.json", &cases)
	for _, pair := range cases.Sizes {
		if got := (File{Size: int64(pair[0].(float64))}).SizeText(); got != pair[1] {
			t.Errorf("SizeText of %v bytes = %q, want %q", pair[0], got, pair[1])
		}
	}
	for _, pair := range cases.Extensions {
		if got := (File{Name: pair[0]}).Extension(); got != pair[1] {
			t.Errorf("Extension of %q = %q, want %q", pair[0], got, pair[1])
		}
	}
	for _, pair := range cases.Thumbnails {
		file := File{Width: pair[0][0], Height: pair[0][1]}
		if got := [2]int{file.ShownWidth(), file.ShownHeight()}; got != pair[1] {
			t.Errorf("a picture of %v is shown as %v, want %v", pair[0], got, pair[1])
		}
	}
}

// The page must stay small, although each picture has its size, color and description in the markup.
func TestRoomOfFiftyPicturesIsSmall(t *testing.T) {
	const pictures, limit = 50, 40 << 10
	picture := func(id string, n int) File {
		url := fmt.Sprintf("/f/lobby/%s/%d", id, n)
		return File{
			Name: fmt.Sprintf("IMG_20260301_1200%02d.jpg", n), Type: "image/jpeg", Size: 2 << 20, Width: 2560, Height: 1920, Color: "#5b7a8c",
			Alt: "What somebody wrote about the picture, a sentence", URL: url, Thumbnail: url + "/thumbnail",
		}
	}
	var albums, inTurns []Message
	for i := range pictures / 10 {
		album := message(int64(i), ada, "An album")
		for n := range 10 {
			album.Files = append(album.Files, picture(album.ID, n))
		}
		albums = append(albums, album)
	}
	authors := []User{ada, {"9f2c1a7e-3b44-4d5e-8c61-0a7b9d2e4f10", "Grace Hopper"}, {"41d07c55-e2a9-4f0b-9b3d-6c1e8a7f2d93", "Jean Bartik"}}
	for i := range pictures {
		message := message(int64(i), authors[i%len(authors)], "")
		message.ID = fmt.Sprintf("17400000%05d-0", i*60_000/100)
		message.Key, message.HTML = fmt.Sprintf("0b9dd3f2-5a53-4a0e-9f0b-1de4a0c8f2%02d", i), ""
		message.Files = []File{picture(message.ID, 0)}
		if i%10 == 0 {
			message.Reactions = []Reaction{{Emoji: "👍", Users: []string{ada.ID, authors[1].ID}, Names: []string{"Ada Lovelace", "Grace Hopper"}}}
		}
		inTurns = append(inTurns, message)
	}
	for _, test := range []struct {
		name     string
		messages []Message
	}{{"albums", albums}, {"three authors in turns", inTurns}} {
		t.Run(test.name, func(t *testing.T) {
			room := pages["room"].model.(Room)
			room.Static, room.Topic, room.Messages = StaticPath(), "Pictures of what we build", test.messages
			for _, name := range []string{"design", "lobby", "random", "releases"} {
				room.Rooms = append(room.Rooms, RoomLink{Name: name, Topic: "What we talk about in " + name, LastActive: noon, Last: "1740000000095-0", Read: "1740000000095-0", Current: name == "lobby"})
			}
			room.FileLimits = `{"picture":10485760,"file":26214400,"count":10}`
			html := render(t, "room", room)
			if got := strings.Count(html, `<img src=/f/`); got != pictures || strings.Count(html, ` loading=lazy>`) < got {
				t.Errorf("%d pictures load lazily, want %d", got, pictures)
			}
			t.Logf("a page of %d pictures: %d bytes, %d gzipped", pictures, len(html), gzipped(t, []byte(html)))
			if len(html) > limit {
				t.Errorf("a page of %d pictures has %d bytes, want at most %d", pictures, len(html), limit)
			}
		})
	}
}

// If the server accepts no files, pages contain no markup, styles or settings for them.
func TestPagesWithoutFilesDoNotMentionThem(t *testing.T) {
	html := render(t, "room", pages["room"].model)
	if found := regexp.MustCompile(`(?i)files\.css|data-files|file-template|type="?file\b|class="?files\b`).FindString(html); found != "" {
		t.Errorf("got a page with %q, want nothing about files", found)
	}
}
