//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"burble/app/bench/proc"
	"burble/app/bench/report"
	"burble/app/bench/target"
)

// runStartup starts Burble on a running Redis, and polls it until it is ready.
func (b *bench) runStartup(ctx context.Context, p *report.Plan, _ int) (*report.Result, error) {
	if p.Target != "burble" {
		return nil, errors.New("mode start measures only Burble")
	}
	r, err := proc.StartRedis(ctx)
	if err != nil {
		return nil, err
	}
	defer r.Stop()
	program, err := b.launcher.Burble.Build(ctx)
	if err != nil {
		return nil, err
	}
	port, err := proc.FreePort()
	if err != nil {
		return nil, err
	}
	res := &report.Result{Target: p.Target, Mode: p.Mode, Work: p.Work}
	began := time.Now()
	burble, _, err := proc.Start([]string{"REDIS_URL=" + r.URL(), fmt.Sprintf("PORT=%d", port)}, program)
	if err != nil {
		return nil, err
	}
	defer burble.Kill()
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
			response, err := target.HTTPClient.Get(fmt.Sprintf("http://127.0.0.1:%d/readyz", port))
			if err == nil {
				response.Body.Close()
			}
			return err == nil && response.StatusCode == http.StatusOK
		})
		res.Ready = time.Since(began)
	}
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, burble.Output())
	}
	return res, err
}

// poll calls ready five times per millisecond until it returns true.
func poll(ctx context.Context, ready func() bool) error {
	for began := time.Now(); !ready(); time.Sleep(200 * time.Microsecond) {
		if time.Since(began) > proc.StartTimeout {
			return fmt.Errorf("not ready after %v", proc.StartTimeout)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}
