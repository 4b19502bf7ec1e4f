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
		Kinds      [][2]string
		Thumbnails [][2][2]int
	}
	readJSON(t, "testdata/files.json", &cases)
	for _, pair := range cases.Sizes {
		if got := (File{Size: int64(pair[0].(float64))}).SizeText(); got != pair[1] {
			t.Errorf("SizeText of %v bytes = %q, want %q", pair[0], got, pair[1])
		}
	}
	for _, pair := range cases.Kinds {
		if got := (File{Name: pair[0]}).Kind(); got != pair[1] {
			t.Errorf("Kind of %q = %q, want %q", pair[0], got, pair[1])
		}
	}
	for _, pair := range cases.Thumbnails {
		file := File{Width: pair[0][0], Height: pair[0][1]}
		if got := [2]int{file.ShownWidth(), file.ShownHeight()}; got != pair[1] {
			t.Errorf("a picture of %v is shown as %v, want %v", pair[0], got, pair[1])
		}
	}
}

// The page must be small although each picture needs its size, color and description.
func TestRoomOfFiftyPicturesIsSmall(t *testing.T) {
	const pictures, limit = 50, 40 << 10
	room := pages["room"].model.(Room)
	room.Messages = nil
	for i := range pictures / 10 {
		album := message(int64(i), ada, "An album")
		for n := range 10 {
			url := fmt.Sprintf("/f/lobby/%s/%d", album.ID, n)
			album.Files = append(album.Files, File{
				Name: fmt.Sprintf("IMG_20260301_1200%02d.jpg", n), Type: "image/jpeg", Size: 2 << 20, Width: 2560, Height: 1920, Color: "#5b7a8c",
				Alt: "What somebody wrote about the picture, a sentence", URL: url, Thumbnail: url + "/thumbnail",
			})
		}
		room.Messages = append(room.Messages, album)
	}
	html := render(t, "room", room)
	if got := strings.Count(html, `loading="lazy" decoding="async"`) - len(regexp.MustCompile(`<template id="(?:file|card)-template">`).FindAllString(html, -1)); got != pictures {
		t.Errorf("%d pictures load lazily, want %d", got, pictures)
	}
	t.Logf("a page of %d pictures: %d bytes, %d gzipped", pictures, len(html), gzipped(t, []byte(html)))
	if len(html) > limit {
		t.Errorf("a page of %d pictures has %d bytes, want at most %d", pictures, len(html), limit)
	}
}

// Without a store of files, pages are what they were before there were files.
func TestPagesWithoutFilesDoNotMentionThem(t *testing.T) {
	html := render(t, "room", pages["room"].model)
	if found := regexp.MustCompile(`(?i)files\.css|data-files|file-template|type="file"|class="files"`).FindString(html); found != "" {
		t.Errorf("the page contains %q", found)
	}
}
