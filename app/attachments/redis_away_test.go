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
	t.Parallel()
	for _, step := range append([]string{""}, uploadSteps...) {
		t.Run("away after "+step, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			backend := redistest.Backend{Real: true, Redis: server.Redis(), Client: server.Client()}
			w := start(t, backend, openDirectory(t, t.TempDir()))
			pause := newSteps(func(name string) error {
				if name == step {
					server.Pause()
				}
				return nil
			})
			w.OnStep(pause)
			if step == "" {
				server.Pause()
			}
			short, cancel := context.WithTimeout(ctx, 3*time.Second)
			defer cancel()
			file, err := w.Upload(short, request(picture(1)))
			server.Resume()
			if step != "added" && step != "half stored" && step != "half stored 2" && attachments.AsError(err).Code != protocol.Unavailable {
				t.Errorf("while Redis is away: %v, want unavailable", err)
			}
			w.OnStep(func(string) error { return nil })
			if err == nil {
				w.send(file)
			}
			w.expectLinks()
			w.send(w.upload(picture(1)))
			w.clean()
			w.expectLinks()
		})
	}
	t.Run("full", func(t *testing.T) {
		t.Parallel()
		w := start(t, redistest.Single(t), openDirectory(t, t.TempDir()))
		w.redis.ConfigSet(ctx, "maxmemory", "1")
		_, err := w.Upload(ctx, request(picture(1)))
		if attachments.AsError(err).Code != protocol.Full {
			t.Errorf("while Redis is full: %v, want full", err)
		}
		w.redis.ConfigSet(ctx, "maxmemory", "0")
		w.expectEmpty()
		w.OnStep(func(name string) error {
			if name == "stored" {
				w.redis.ConfigSet(ctx, "maxmemory", "1")
			}
			return nil
		})
		if _, err = w.Upload(ctx, request(picture(1))); attachments.AsError(err).Code != protocol.Full {
			t.Errorf("when Redis is full in the end: %v, want full", err)
		}
		w.redis.ConfigSet(ctx, "maxmemory", "0")
		w.OnStep(func(string) error { return nil })
		w.clean()
		w.expectEmpty()
	})
}
