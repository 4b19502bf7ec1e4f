//go:build linux

package streams_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/redistest"
)

// A brokenDisk makes Redis's writes to disk fail.
type brokenDisk struct {
	args      func(t *testing.T) []string
	breakDisk func(t *testing.T, server *redistest.Server)
	want      error
}

// aofTo returns arguments for a Redis whose append-only file is a symbolic link to the device.
func aofTo(device string) func(t *testing.T) []string {
	return func(t *testing.T) []string {
		folder := filepath.Join(t.TempDir(), "aof")
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "aof.manifest"), []byte("file aof.1.incr.aof seq 1 type i\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(device, filepath.Join(folder, "aof.1.incr.aof")); err != nil {
			t.Fatal(err)
		}
		return []string{"--dir", filepath.Dir(folder), "--appendonly", "yes", "--appendfsync", "no", "--appenddirname", "aof", "--appendfilename", "aof"}
	}
}

func TestFullDiskReturnsErrFull(t *testing.T) {
	t.Parallel()
	for name, disk := range map[string]brokenDisk{
		"append-only file": {args: aofTo("/dev/full"), want: streams.ErrFull},
		"snapshot": {
			args: func(t *testing.T) []string {
				return []string{"--dir", t.TempDir(), "--save", "3600 1"}
			},
			breakDisk: func(t *testing.T, server *redistest.Server) {
				client := server.Client()
				defer client.Close()
				dir, err := client.ConfigGet(t.Context(), "dir").Result()
				if err != nil {
					t.Fatal(err)
				}
				if err := os.RemoveAll(dir["dir"]); err != nil {
					t.Fatal(err)
				}
				client.BgSave(t.Context())
			},
			want: streams.ErrFull,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, disk.args(t)...)
			options := streams.Options{Redis: server.Redis(), MaxAge: time.Millisecond}
			store := redistest.Open(t, options)
			if disk.breakDisk != nil {
				disk.breakDisk(t, server)
			}
			eventually(t, "Redis to refuse an append", func() bool {
				err := tryPost(store, "lobby", "hello")
				if err != nil && !errors.Is(err, disk.want) {
					t.Fatalf("Append: got error %v, want %v", err, disk.want)
				}
				return err != nil
			})
			if err := store.Health(t.Context()); !errors.Is(err, disk.want) {
				t.Errorf("Health: got error %v, want %v", err, disk.want)
			}
			if err := store.As(ada).Signal(t.Context(), "lobby", streams.Typing); !errors.Is(err, disk.want) {
				t.Errorf("Signal: got error %v, want %v", err, disk.want)
			}
			// A server that starts now can still serve reads.
			page(t, redistest.Open(t, options), streams.PageQuery{Limit: 5})
		})
	}
}
