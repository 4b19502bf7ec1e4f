package attachments_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"burble/app/attachments"
	"burble/app/blobs"
	"burble/streams"
	"burble/streams/conns"
	"burble/streams/redistest"
)

// The environment of a child: the address of Redis, the folder of the store, what to do, and the step at which it dies.
const childRedis, childFolder, childTask, childStep = "ATTACHMENTS_TEST_REDIS", "ATTACHMENTS_TEST_FOLDER", "ATTACHMENTS_TEST_TASK", "ATTACHMENTS_TEST_STEP"

const diedStatus = 9

// runChild runs a task in a process that dies at the step. It reports whether the process reached the step.
func runChild(t *testing.T, backend redistest.Backend, folder, task, step string) (died bool) {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), childRedis+"="+backend.Redis.Addrs[0], childFolder+"="+folder, childTask+"="+task, childStep+"="+step)
	output, err := command.CombinedOutput()
	if command.ProcessState.ExitCode() == diedStatus {
		return true
	}
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return false
}

func runAsChild() {
	check := func(err error) {
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	store, err := blobs.OpenDirectory(filepath.Join(os.Getenv(childFolder), "files"))
	check(err)
	roomStore, err := streams.Open(ctx, streams.Options{Redis: &conns.Address{Addrs: []string{os.Getenv(childRedis)}}, Log: slog.New(slog.DiscardHandler)})
	check(err)
	go roomStore.Run(ctx)
	at := newSteps(func(step string) error {
		if step == os.Getenv(childStep) {
			os.Exit(diedStatus)
		}
		return nil
	})
	s := attachments.New(options(halfStore{store, at}, rooms{roomStore}, roomStore.Conns()))
	s.SetMarkLifetime(0)
	s.OnStep(at)
	if os.Getenv(childTask) == "upload" {
		_, err = s.Upload(ctx, request(picture(1)))
	} else {
		err = s.RemoveSome(ctx)
	}
	check(err)
}

// newSteps returns a function for OnStep that numbers repeated steps: "referenced", "referenced 2", …
func newSteps(do func(step string) error) func(name string) error {
	counts := make(map[string]int)
	return func(name string) error {
		if counts[name]++; counts[name] > 1 {
			name = fmt.Sprint(name, " ", counts[name])
		}
		return do(name)
	}
}

// A halfStore calls at in the middle of Put, which thereby becomes a step of the upload.
type halfStore struct {
	blobs.Store
	at func(name string) error
}

func (s halfStore) Put(ctx context.Context, body io.Reader, limit int64) (blobs.Blob, error) {
	return s.Store.Put(ctx, &halfReader{body, limit / 2, s.at}, limit)
}

type halfReader struct {
	io.Reader
	left int64
	at   func(name string) error
}

func (r *halfReader) Read(p []byte) (int, error) {
	if r.left <= 0 && r.at != nil {
		if err := r.at("half stored"); err != nil {
			return 0, err
		}
		r.at = nil
	}
	if r.at != nil {
		p = p[:min(int64(len(p)), r.left)]
	}
	n, err := r.Reader.Read(p)
	r.left -= int64(n)
	return n, err
}
