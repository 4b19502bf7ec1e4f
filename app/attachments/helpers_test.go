package attachments_test

import (
	"bytes"
	"context"
	"flag"
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
//	start(t, backend, store)           returns a fixture: a Service with rooms, a Redis and a store of objects
//	upload, send, delete               do what users do
//	makeDue                            makes all files due now
//	clean                              runs the jobs as if days had passed
//	expectEmpty, expectNoLostObject    check that nothing is left, or that no file has lost its object
//	runChild(t, …)                     runs a task in another process, which is killed at a step
//	stores                             runs a test with a directory, and with an S3 server in this process

var ctx = context.Background()

// patience is how long a test waits for something that normally happens soon.
const patience = time.Minute

const room = "lobby"

func TestMain(m *testing.M) {
	if os.Getenv(childRedis) != "" {
		runAsChild()
		return
	}
	flag.Set("test.parallel", "8") // these tests mostly wait; a -parallel flag overrides this
	os.Exit(redistest.Main(m))
}

// rooms implements attachments.Rooms, as package chat does.
type rooms struct{ *streams.Store }

func (r rooms) AddFile(ctx context.Context, user identity.User, room string, file streams.File) error {
	return r.As(streams.User{ID: user.ID, Name: user.Name}).AddFile(ctx, room, file)
}

// A fixture is a Service with everything it needs.
type fixture struct {
	*attachments.Service
	t     testing.TB
	rooms *streams.Store
	redis redistest.Client
	store blobs.Store
}

var ada = identity.User{ID: uuid.NewString(), Name: "Ada"}

const mega = 1 << 20

func options(store blobs.Store, rooms attachments.Rooms, set *conns.Set) attachments.Options {
	return attachments.Options{Store: store, Rooms: rooms, Redis: set, MaxPicture: 10 * mega, MaxFile: 25 * mega}
}

func start(t testing.TB, backend redistest.Backend, store blobs.Store, changes ...func(*attachments.Options)) *fixture {
	t.Helper()
	roomStore := redistest.Open(t, streams.Options{Redis: backend.Redis, Log: slog.New(slog.DiscardHandler)})
	all := options(store, rooms{roomStore}, roomStore.Conns())
	for _, change := range changes {
		change(&all)
	}
	f := &fixture{Service: attachments.New(all), t: t, rooms: roomStore, redis: backend.Client, store: store}
	f.SetMarkLifetime(0)
	return f
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

func (f *fixture) upload(content []byte) streams.File {
	f.t.Helper()
	file, err := f.Upload(ctx, request(content))
	if err != nil {
		f.t.Fatal(err)
	}
	return file
}

// send sends a message with the files, and returns its ID.
func (f *fixture) send(files ...streams.File) streams.ID {
	f.t.Helper()
	stored, err := f.rooms.As(streams.User{ID: ada.ID, Name: ada.Name}).Append(ctx, room, streams.Entry{Kind: streams.Message, Key: uuid.NewString(), Files: files})
	if err != nil {
		f.t.Fatal(err)
	}
	return stored.Cursor.ID
}

func (f *fixture) delete(message streams.ID) {
	f.t.Helper()
	deletion := streams.Entry{Kind: streams.Delete, Key: uuid.NewString(), Of: message}
	if _, err := f.rooms.As(streams.User{ID: ada.ID, Name: ada.Name}).Append(ctx, room, deletion); err != nil {
		f.t.Fatal(err)
	}
}

// makeDue makes all files of the room due now.
func (f *fixture) makeDue() {
	f.t.Helper()
	key := fmt.Sprintf("{%d}:files", streams.Bucket(room))
	for _, id := range f.redis.ZRange(ctx, key, 0, -1).Val() {
		f.redis.ZAdd(ctx, key, redis.Z{Score: 1, Member: id})
	}
}

// clean does what the jobs do within a few days.
func (f *fixture) clean() {
	f.t.Helper()
	f.SetClock(func() time.Time { return time.Now().Add(3 * 24 * time.Hour) })
	defer f.SetClock(time.Now)
	f.SetJournalLifetime(0)
	f.makeDue()
	f.CheckAll()
	if err := f.RemoveSome(ctx); err != nil {
		f.t.Fatal(err)
	}
	if _, done, err := f.SweepSome(ctx, ""); err != nil || !done {
		f.t.Fatal(done, err)
	}
}

// objects returns the hashes in the store.
func (f *fixture) objects() (hashes []string) {
	f.t.Helper()
	for info, err := range f.store.List(ctx, "") {
		if err != nil {
			f.t.Fatal(err)
		}
		hashes = append(hashes, info.Hash)
	}
	return hashes
}

// expectEmpty fails the test if anything is left of files.
func (f *fixture) expectEmpty() {
	f.t.Helper()
	if left := f.objects(); len(left) > 0 {
		f.t.Errorf("%d objects are left", len(left))
	}
	if bytes, err := f.Bytes(ctx); err != nil || bytes != 0 {
		f.t.Errorf("%d bytes are in use, want 0: %v", bytes, err)
	}
	for _, pattern := range []string{"{0}:blob:*", "{0}:files:uploads", "{0}:files:sizes", "*:file:*"} {
		if left := f.redis.Keys(ctx, pattern).Val(); len(left) > 0 {
			f.t.Errorf("keys are left: %v", left)
		}
	}
}

// expectNoLostObject fails the test if a file that can be sent or is in a message has lost an object.
func (f *fixture) expectNoLostObject() {
	f.t.Helper()
	for _, key := range f.redis.Keys(ctx, "*:file:*").Val() {
		fields := f.redis.HMGet(ctx, key, "removed", "hash", "thumbnail").Val()
		for _, hash := range fields[1:] {
			if found, err := f.store.Exists(ctx, fmt.Sprint(hash)); fields[0] == nil && hash != "" && (err != nil || !found) {
				f.t.Errorf("%s has lost object %v: %v", key, hash, err)
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

// picture returns a PNG that is just wide enough for a thumbnail.
func picture(seed uint8) []byte {
	canvas := image.NewNRGBA(image.Rect(0, 0, 700, 7))
	for x := range 700 {
		canvas.Set(x, x%7, color.NRGBA{seed, uint8(x), 90, 255})
	}
	var encoded bytes.Buffer
	if err := png.Encode(&encoded, canvas); err != nil {
		panic(err)
	}
	return encoded.Bytes()
}

// run runs the jobs. The caller must call stop.
func (f *fixture) run() (stop func()) {
	running, cancel := context.WithCancel(ctx)
	ended := make(chan error)
	go func() { ended <- f.Run(running) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			f.t.Error(err)
		}
	}
}
