//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// runStartup starts a Burble on a running Redis and polls it until it is ready.
func (b *bench) runStartup(ctx context.Context, p *plan, _ int) (*result, error) {
	if p.target != "burble" {
		return nil, errors.New("mode start measures Burble only")
	}
	r, err := startRedis(ctx)
	if err != nil {
		return nil, err
	}
	defer r.stop()
	program, err := b.launcher.Burble.build(ctx)
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	res := &result{Target: p.target, Mode: p.mode, Work: p.work}
	began := time.Now()
	burble, _, err := startProcess([]string{"REDIS_URL=" + r.url(), fmt.Sprintf("PORT=%d", port)}, program)
	if err != nil {
		return nil, err
	}
	defer burble.kill()
	err = poll(ctx, func() bool {
		conn, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	res.Listening = time.Since(began)
	if err == nil {
		err = poll(ctx, func() bool {
			response, err := httpClient.Get(fmt.Sprintf("http://127.0.0.1:%d/readyz", port))
			if err == nil {
				response.Body.Close()
			}
			return err == nil && response.StatusCode == http.StatusOK
		})
		res.Ready = time.Since(began)
	}
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, burble.output())
	}
	return res, err
}

// poll calls ready five times per millisecond until it returns true.
func poll(ctx context.Context, ready func() bool) error {
	for began := time.Now(); !ready(); time.Sleep(200 * time.Microsecond) {
		if time.Since(began) > startTimeout {
			return fmt.Errorf("not ready after %v", startTimeout)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}
