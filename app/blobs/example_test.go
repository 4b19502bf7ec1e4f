package blobs_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"burble/app/blobs"
)

func Example() {
	root, err := os.MkdirTemp("", "blobs")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(root)
	store, err := blobs.OpenDirectory(root)
	if err != nil {
		panic(err)
	}
	blob, err := store.Put(context.Background(), strings.NewReader("hello"), 1<<20)
	if err != nil {
		panic(err)
	}
	fmt.Println(blob.Hash[:8], blob.Size)
	object, err := store.Open(context.Background(), blob.Hash)
	if err != nil {
		panic(err)
	}
	defer object.Close()
	text, _ := io.ReadAll(object)
	fmt.Println(string(text))
	// Output:
	// 2cf24dba 5
	// hello
}
