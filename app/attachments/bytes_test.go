package attachments_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"testing"
	"time"

	"burble/app/attachments"
	"burble/app/protocol"
	"burble/streams"
	"burble/streams/redistest"
)

// The total size is exact even if uploads share an object, and one of them fails or its message is deleted at the same
// time.
func TestBytesOfSharedObjects(t *testing.T) {
	t.Parallel()
	content := []byte("the same")
	sendAnother := func(f *fixture) { f.send(f.upload(content)) }
	deleteAnother := func(f *fixture) {
		file := f.upload(content)
		f.delete(f.send(file))
		f.removeNow(file)
	}
	for name, test := range map[string]struct {
		at      string // a step of an upload
		do      func(f *fixture)
		fails   string // the step at which the upload fails, if it does
		objects int
	}{
		"both store it":                                {"referenced", sendAnother, "", 1},
		"the first stores it and fails":                {"stored", sendAnother, "stored", 1},
		"the second stores it, the first fails":        {"reserved", sendAnother, "referenced", 1},
		"the second is deleted":                        {"referenced", deleteAnother, "", 1},
		"the second is deleted, and the first fails":   {"stored", deleteAnother, "stored", 0},
		"the second stores it, and is deleted earlier": {"reserved", deleteAnother, "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backend, folder := redistest.Single(t), t.TempDir()
			first, second := start(t, backend, openDirectory(t, folder)), start(t, backend, openDirectory(t, folder))
			first.OnStep(func(step string) error {
				if step == test.at {
					test.do(second)
				}
				if step == test.fails {
					return errStep
				}
				return nil
			})
			if _, err := first.Upload(ctx, request(content)); (err != nil) != (test.fails != "") {
				t.Fatal(err)
			}
			if got, err := second.Bytes(ctx); got != int64(test.objects*len(content)) || err != nil {
				t.Errorf("%d bytes, want those of %d objects: %v", got, test.objects, err)
			}
			if left := len(second.objects()); left != test.objects {
				t.Errorf("%d objects, want %d", left, test.objects)
			}
			for _, message := range second.messages() {
				second.delete(message)
			}
			second.clean()
			second.expectEmpty()
		})
	}
}

// messages returns the IDs of all messages.
func (f *fixture) messages() (ids []streams.ID) {
	f.t.Helper()
	for _, entry := range f.redis.XRange(ctx, fmt.Sprintf("{%d}:room:%s", streams.Bucket(room), room), "-", "+").Val() {
		if id, err := streams.ParseID(entry.ID); err == nil && entry.Values["kind"] == "message" {
			ids = append(ids, id)
		}
	}
	return ids
}

// A picture that must be rotated is encoded again, and may grow. Its stored size counts against the quotas.
func TestPicturesThatGrowCountAgainstQuotas(t *testing.T) {
	t.Parallel()
	noise := image.NewGray(image.Rect(0, 0, 600, 400))
	random := rand.New(rand.NewPCG(1, 1))
	for i := range noise.Pix {
		noise.Pix[i] = uint8(random.IntN(256))
	}
	var encoded bytes.Buffer
	if err := jpeg.Encode(&encoded, noise, &jpeg.Options{Quality: 5}); err != nil {
		t.Fatal(err)
	}
	exif := "Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"
	photo := binary.BigEndian.AppendUint16([]byte("\xff\xd8\xff\xe1"), uint16(len(exif)+2))
	photo = append(append(photo, exif...), encoded.Bytes()[2:]...)

	backend := redistest.Single(t)
	f := start(t, backend, openDirectory(t, t.TempDir()))
	file := f.upload(photo)
	if file.Size < 2*int64(len(photo)) {
		t.Fatalf("the picture of %d bytes takes %d bytes when stored, want at least twice as many", len(photo), file.Size)
	}
	day := f.redis.Keys(ctx, "{0}:files:day:*").Val()
	if used, err := f.redis.Get(ctx, day[0]).Int64(); used != file.Size || err != nil {
		t.Errorf("the user has used %d bytes of the day, want %d: %v", used, file.Size, err)
	}
	f.clean()
	f.expectEmpty()

	for name, change := range map[string]func(*attachments.Options){
		"of all files":   func(o *attachments.Options) { o.MaxTotal = file.Size - 1 },
		"of the user":    func(o *attachments.Options) { o.MaxDay = file.Size - 1 },
		"exactly enough": func(o *attachments.Options) { o.MaxTotal, o.MaxDay = file.Size, file.Size },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t, redistest.Single(t), openDirectory(t, t.TempDir()), change)
			_, err := f.Upload(ctx, request(photo))
			if name == "exactly enough" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || attachments.AsError(err).Code != protocol.Full {
				t.Errorf("%v, want full", err)
			}
			f.expectEmpty()
			if used := f.redis.Get(ctx, f.redis.Keys(ctx, "{0}:files:day:*").Val()[0]).Val(); used != "0" {
				t.Errorf("the user has used %s bytes of the day, want 0", used)
			}
		})
	}
}

// A server whose clock is hours ahead does not end the uploads of others.
func TestUploadsSurviveTheClockOfAnotherServer(t *testing.T) {
	t.Parallel()
	backend, folder := redistest.Single(t), t.TempDir()
	f, ahead := start(t, backend, openDirectory(t, folder)), start(t, backend, openDirectory(t, folder))
	ahead.SetClock(func() time.Time { return time.Now().Add(12 * time.Hour) })
	f.OnStep(func(step string) error {
		if step == "stored" {
			ahead.CheckAll()
			if err := ahead.RemoveSome(ctx); err != nil {
				t.Error(err)
			}
		}
		return nil
	})
	f.send(f.upload(picture(1)))
	f.expectNoLostObject()
}
