package attachments_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"burble/app/attachments"
	"burble/app/blobs"
	"burble/app/identity"
	"burble/streams"
	"burble/streams/conns"
	"burble/streams/redistest"

	"github.com/google/uuid"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/redis/go-redis/v9"
)

// The helpers of these tests:
//
//	start(t, backend, store)    a world: a Service with rooms, on a Redis and a store of objects
//	upload, send, delete        what users do
//	makeDue                     makes all files due now
//	clean                       lets the jobs do everything that they do within days
//	expectEmpty, expectLinks    what must hold
//	runChild(t, …)              does something in a process of its own, which is killed at a step
//	stores                      a directory, and an S3 server in this process

var ctx = context.Background()

// patience is the deadline for what happens soon, unless the machine is slow.
const patience = time.Minute

const room = "lobby"

func TestMain(m *testing.M) {
	if os.Getenv(childRedis) != "" {
		runAsChild()
		return
	}
	os.Exit(redistest.Main(m))
}

// rooms implements attachments.Rooms, as package chat does.
type rooms struct{ *streams.Store }

func (r rooms) AddFile(ctx context.Context, user identity.User, room string, file streams.File) error {
	return r.As(streams.User{ID: user.ID, Name: user.Name}).AddFile(ctx, room, file)
}

// A world is a Service with everything it needs.
type world struct {
	*attachments.Service
	t     testing.TB
	rooms *streams.Store
	redis redis.UniversalClient
	store blobs.Store
}

var ada = identity.User{ID: uuid.NewString(), Name: "Ada"}

const mega = 1 << 20

func options(store blobs.Store, rooms attachments.Rooms, set *conns.Set) attachments.Options {
	return attachments.Options{Store: store, Rooms: rooms, Redis: set, MaxPicture: 10 * mega, MaxFile: 25 * mega}
}

func start(t testing.TB, backend redistest.Backend, store blobs.Store, changes ...func(*attachments.Options)) *world {
	t.Helper()
	kept := redistest.Open(t, streams.Options{Redis: backend.Redis, Log: slog.New(slog.DiscardHandler)})
	all := options(store, rooms{kept}, kept.Conns())
	for _, change := range changes {
		change(&all)
	}
	w := &world{Service: attachments.New(all), t: t, rooms: kept, redis: backend.Client, store: store}
	w.SetMarkLife(0)
	return w
}

// stores runs the body with each kind of store.
func stores(t *testing.T, body func(t *testing.T, store blobs.Store)) {
	t.Run("directory", func(t *testing.T) { t.Parallel(); body(t, openDirectory(t, t.TempDir())) })
	t.Run("S3", func(t *testing.T) { t.Parallel(); body(t, startS3(t)) })
}

func openDirectory(t testing.TB, path string) *blobs.Directory {
	t.Helper()
	store, err := blobs.OpenDirectory(filepath.Join(path, "files"))
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func startS3(t testing.TB) *blobs.S3 {
	t.Helper()
	server := httptest.NewServer(gofakes3.New(s3mem.New()).Server())
	t.Cleanup(server.Close)
	client, err := minio.New(server.URL[len("http://"):], &minio.Options{Creds: credentials.NewStaticV4("key", "secret", ""), Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.MakeBucket(ctx, "files", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	store, err := blobs.OpenS3(blobs.S3Options{Endpoint: server.URL, Bucket: "files", KeyID: "key", Secret: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// request returns an upload of the content.
func request(content []byte) attachments.Upload {
	return attachments.Upload{User: ada, Address: "192.0.2.1", Room: room, Name: "file", Size: int64(len(content)), Body: bytes.NewReader(content)}
}

func (w *world) upload(content []byte) streams.File {
	w.t.Helper()
	file, err := w.Upload(ctx, request(content))
	if err != nil {
		w.t.Fatal(err)
	}
	return file
}

// send sends a message with the files, and returns its ID.
func (w *world) send(files ...streams.File) streams.ID {
	w.t.Helper()
	stored, err := w.rooms.As(streams.User{ID: ada.ID, Name: ada.Name}).Append(ctx, room, streams.Entry{Kind: streams.Message, Key: uuid.NewString(), Files: files})
	if err != nil {
		w.t.Fatal(err)
	}
	return stored.Cursor.ID
}

func (w *world) delete(message streams.ID) {
	w.t.Helper()
	deletion := streams.Entry{Kind: streams.Delete, Key: uuid.NewString(), Of: message}
	if _, err := w.rooms.As(streams.User{ID: ada.ID, Name: ada.Name}).Append(ctx, room, deletion); err != nil {
		w.t.Fatal(err)
	}
}

// makeDue makes all files of the room due now.
func (w *world) makeDue() {
	w.t.Helper()
	key := fmt.Sprintf("{%d}:files", streams.Bucket(room))
	for _, id := range w.redis.ZRange(ctx, key, 0, -1).Val() {
		w.redis.ZAdd(ctx, key, redis.Z{Score: 1, Member: id})
	}
}

// clean does what the jobs do within a few days.
func (w *world) clean() {
	w.t.Helper()
	w.SetClock(func() time.Time { return time.Now().Add(3 * 24 * time.Hour) })
	defer w.SetClock(time.Now)
	w.SetJournalLife(0)
	w.makeDue()
	w.LookNow()
	if err := w.RemoveSome(ctx); err != nil {
		w.t.Fatal(err)
	}
	if _, done, err := w.SweepSome(ctx, ""); err != nil || !done {
		w.t.Fatal(done, err)
	}
}

// objects returns the hashes in the store.
func (w *world) objects() (hashes []string) {
	w.t.Helper()
	for info, err := range w.store.List(ctx, "") {
		if err != nil {
			w.t.Fatal(err)
		}
		hashes = append(hashes, info.Hash)
	}
	return hashes
}

// expectEmpty fails the test if anything is left of files.
func (w *world) expectEmpty() {
	w.t.Helper()
	if left := w.objects(); len(left) > 0 {
		w.t.Errorf("%d objects are left", len(left))
	}
	if bytes, err := w.Bytes(ctx); err != nil || bytes != 0 {
		w.t.Errorf("%d bytes are in use, want 0: %v", bytes, err)
	}
	for _, pattern := range []string{"{0}:blob:*", "{0}:files:uploads", "{0}:files:sizes", "*:file:*"} {
		if left := w.redis.Keys(ctx, pattern).Val(); len(left) > 0 {
			w.t.Errorf("keys are left: %v", left)
		}
	}
}

// expectLinks fails the test if a file that can be sent or is in a message has lost an object.
func (w *world) expectLinks() {
	w.t.Helper()
	for _, key := range w.redis.Keys(ctx, "*:file:*").Val() {
		fields := w.redis.HMGet(ctx, key, "removed", "hash", "thumbnail").Val()
		for _, hash := range fields[1:] {
			if found, err := w.store.Exists(ctx, fmt.Sprint(hash)); fields[0] == nil && hash != "" && (err != nil || !found) {
				w.t.Errorf("%s has lost object %v: %v", key, hash, err)
			}
		}
	}
}

func readAll(t testing.TB, from io.ReadCloser) []byte {
	t.Helper()
	defer from.Close()
	data, err := io.ReadAll(from)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// picture returns a PNG that is large enough for a thumbnail.
func picture(seed uint8) []byte {
	canvas := image.NewNRGBA(image.Rect(0, 0, 900, 700))
	for x := range 900 {
		canvas.Set(x, x%700, color.NRGBA{seed, uint8(x), 90, 255})
	}
	var encoded bytes.Buffer
	if err := png.Encode(&encoded, canvas); err != nil {
		panic(err)
	}
	return encoded.Bytes()
}

// run runs the jobs. The caller must call stop.
func (w *world) run() (stop func()) {
	running, cancel := context.WithCancel(ctx)
	ended := make(chan error)
	go func() { ended <- w.Run(running) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			w.t.Error(err)
		}
	}
}
