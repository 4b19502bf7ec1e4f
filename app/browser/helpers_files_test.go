//go:build unix

package browser

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"burble/app/apptest"
	"burble/app/client"
	"burble/streams/redistest"

	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
)

// startWithFiles starts two servers that share a directory for files. The first one keeps its port after a restart.
func startWithFiles(t *testing.T, env ...string) (redis *redistest.Server, here, there *apptest.Server) {
	t.Helper()
	redis = redistest.Start(t)
	env = append(env, "FILES="+t.TempDir(), "SECRET=sixteen characters and more")
	return redis, startOnFixedPort(t, redis, env...), apptest.Start(t, redis, env...)
}

// pictureFile writes a PNG of one color and returns its path.
func pictureFile(t *testing.T, name string, width, height int, fill color.Color) string {
	t.Helper()
	picture := image.NewPaletted(image.Rect(0, 0, width, height), color.Palette{fill})
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		t.Fatal(err)
	}
	return writeFile(t, name, out.Bytes())
}

// noiseFile writes an incompressible file of the given size, and returns its path.
func noiseFile(t *testing.T, name string, size int) string {
	t.Helper()
	content := make([]byte, size)
	for i, state := 0, uint32(1); i < size; i++ {
		state = state*1664525 + 1013904223
		content[i] = byte(state >> 24)
	}
	return writeFile(t, name, content)
}

func writeFile(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// choose chooses files with one of the buttons of the composer.
func (u *user) choose(selector string, paths ...string) {
	u.t.Helper()
	button := call(u, runtime.Evaluate, runtime.EvaluateParams{Expression: fmt.Sprintf(`document.querySelector(%q)`, selector)})
	call(u, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: paths, ObjectID: button.Result.ObjectID})
}

// attach chooses files and waits until they are uploaded.
func (u *user) attach(paths ...string) {
	u.t.Helper()
	u.choose(`.attach:not(.camera) input`, paths...)
	u.waitUploaded(len(paths))
}

// waitUploaded waits until the composer has the number of files, and all of them are uploaded.
func (u *user) waitUploaded(count int) {
	u.t.Helper()
	u.wait("the uploads", fmt.Sprintf(`((rows) => rows.length === %d && rows.every((row) => row.querySelector("progress").hidden && !("failed" in row.dataset)))([...document.querySelectorAll(".attached li")])`, count))
}

// drag moves files over the page, and drops them if drop is true.
func (u *user) drag(drop bool, paths ...string) {
	u.t.Helper()
	data := &input.DragData{Items: []*input.DragDataItem{}, Files: paths, DragOperationsMask: 1}
	kinds := []input.DispatchDragEventType{input.DispatchDragEventTypeDragEnter, input.DispatchDragEventTypeDragOver}
	if drop {
		kinds = append(kinds, input.DispatchDragEventTypeDrop)
	}
	for _, kind := range kinds {
		call(u, input.DispatchDragEvent, input.DispatchDragEventParams{Type: kind, X: 500, Y: 300, Data: data})
	}
}

// shownPictures is a JavaScript expression for the pictures of messages that have loaded. It lists the tooltip (the name,
// if the picture has no description), the alternative text (the description, or else the name) and the size of each.
const shownPictures = `[...document.querySelectorAll("#messages .message[id] .picture img")].filter((img) => img.complete && img.naturalWidth && !img.src.startsWith("blob:"))
	.map((img) => [img.parentElement.title, img.alt, img.naturalWidth + "x" + img.naturalHeight].filter(Boolean).join(" ")).join("; ")`

// upload uploads a file to a room and returns its ID.
func upload(t *testing.T, server *apptest.Server, token, room, path string) (id string) {
	t.Helper()
	content, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := content.Stat()
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL()+"/r/"+room+"/files?name="+url.QueryEscape(filepath.Base(path)), content)
	if err != nil {
		t.Fatal(err)
	}
	request.ContentLength = info.Size()
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var uploaded struct{ ID string }
	if err := json.NewDecoder(response.Body).Decode(&uploaded); err != nil || response.StatusCode != http.StatusCreated {
		t.Fatalf("upload %s: status %d, %v; want status 201", path, response.StatusCode, err)
	}
	return uploaded.ID
}

// postFiles sends a message with files, each with a description.
func postFiles(t *testing.T, server *apptest.Server, token, room, text string, paths ...string) {
	t.Helper()
	type file struct {
		ID  string `json:"id"`
		Alt string `json:"alt"`
	}
	var files []file
	for i, path := range paths {
		files = append(files, file{upload(t, server, token, room, path), fmt.Sprintf("what %d shows", i)})
	}
	body, err := json.Marshal(map[string]any{"text": text, "files": files, "key": client.NewKey()})
	if err != nil {
		t.Fatal(err)
	}
	if status, response := server.Do(http.MethodPost, "/r/"+room+"/messages", string(body), "Content-Type", "application/json", "Authorization", "Bearer "+token); status != http.StatusCreated {
		t.Fatalf("post files: status %d, want 201: %s", status, response)
	}
}
