//go:build unix

package attachments_test

import (
	"context"
	"testing"
	"time"

	"burble/app/attachments"
	"burble/app/protocol"
	"burble/streams/redistest"
)

func TestRedisIsAwayOrFull(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	for _, step := range append([]string{""}, uploadSteps...) {
		t.Run("away after "+step, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			backend := redistest.Backend{Real: true, Redis: server.Redis(), Client: server.Client()}
			f := start(t, backend, openDirectory(t, t.TempDir()))
			pause := newSteps(func(name string) error {
				if name == step {
					server.Pause()
				}
				return nil
			})
			f.OnStep(pause)
			if step == "" {
				server.Pause()
			}
			short, cancel := context.WithTimeout(ctx, 3*time.Second)
			defer cancel()
			file, err := f.Upload(short, request(picture(1)))
			server.Resume()
			if step != "added" && step != "half stored" && step != "half stored 2" && attachments.AsError(err).Code != protocol.Unavailable {
				t.Errorf("while Redis is away: %v, want unavailable", err)
			}
			f.OnStep(func(string) error { return nil })
			if err == nil {
				f.send(file)
			}
			f.expectNoLostObject()
			f.send(f.upload(picture(1)))
			f.clean()
			f.expectNoLostObject()
		})
	}
	t.Run("full", func(t *testing.T) {
		t.Parallel()
		f := start(t, redistest.Single(t), openDirectory(t, t.TempDir()))
		f.redis.ConfigSet(ctx, "maxmemory", "1")
		_, err := f.Upload(ctx, request(picture(1)))
		if attachments.AsError(err).Code != protocol.Full {
			t.Errorf("while Redis is full: %v, want full", err)
		}
		f.redis.ConfigSet(ctx, "maxmemory", "0")
		f.expectEmpty()
		f.OnStep(func(name string) error {
			if name == "stored" {
				f.redis.ConfigSet(ctx, "maxmemory", "1")
			}
			return nil
		})
		if _, err = f.Upload(ctx, request(picture(1))); attachments.AsError(err).Code != protocol.Full {
			t.Errorf("when Redis becomes full during the upload: %v, want full", err)
		}
		f.redis.ConfigSet(ctx, "maxmemory", "0")
		f.OnStep(func(string) error { return nil })
		f.clean()
		f.expectEmpty()
	})
}
