package attachments_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	"burble/app/attachments"
	"burble/app/blobs"
	"burble/app/identity"
	"burble/streams"
	"burble/streams/conns"

	"github.com/alicebob/miniredis/v2"
)

func Example() {
	server, err := miniredis.Run()
	if err != nil {
		panic(err)
	}
	defer server.Close()
	roomStore, err := streams.Open(context.Background(), streams.Options{Redis: &conns.Address{Addrs: []string{server.Addr()}}})
	if err != nil {
		panic(err)
	}
	defer roomStore.Close()
	folder, err := os.MkdirTemp("", "files")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	store, err := blobs.OpenDirectory(folder)
	if err != nil {
		panic(err)
	}

	files := attachments.New(attachments.Options{
		Store: store, Rooms: rooms{roomStore}, Redis: roomStore.Conns(), MaxPicture: 10 << 20, MaxFile: 25 << 20,
	})
	file, err := files.Upload(context.Background(), attachments.Upload{
		User: identity.User{ID: "1", Name: "Ada"}, Address: "192.0.2.1", Room: "lobby", Name: "notes.txt", Size: 5, Body: strings.NewReader("hello"),
	})
	fmt.Println(file.Name, file.Type, file.Size, err)
	fmt.Println(attachments.Describe(file, attachments.Version{}).Disposition)
	// Output:
	// notes.txt text/plain 5 <nil>
	// attachment; filename="notes.txt"
}
