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

// start starts a Burble on a Redis that runs, and asks until it answers.
func (b *bench) start(ctx context.Context, p *plan, _ int) (*result, error) {
	if p.target.name != "burble" {
		return nil, errors.New("only Burble's start is measured")
	}
	r, err := startRedis(ctx)
	if err != nil {
		return nil, err
	}
	defer r.end()
	program, err := b.buildBurble(ctx)
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	got := &result{Target: p.target.name, Mode: p.mode, Work: p.work}
	began := time.Now()
	c, _, err := startChild([]string{"REDIS_URL=" + r.url(), fmt.Sprintf("PORT=%d", port)}, program)
	if err != nil {
		return nil, err
	}
	defer c.kill()
	err = until(ctx, func() bool {
		conn, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	got.Listening = time.Since(began)
	if err == nil {
		err = until(ctx, func() bool {
			response, err := web.Get(fmt.Sprintf("http://127.0.0.1:%d/readyz", port))
			if err == nil {
				response.Body.Close()
			}
			return err == nil && response.StatusCode == http.StatusOK
		})
		got.Ready = time.Since(began)
	}
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, c.said())
	}
	return got, err
}

// until asks again and again, without a pause worth mentioning.
func until(ctx context.Context, ok func() bool) error {
	for began := time.Now(); !ok(); time.Sleep(200 * time.Microsecond) {
		if time.Since(began) > listenTime {
			return fmt.Errorf("nothing answers after %v", listenTime)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// freePort is a port that nobody listens on just now.
func freePort() (int, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
