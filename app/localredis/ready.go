//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package localredis

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"time"
)

// replyTimeout is how long a new server may take to send any reply, including the error that it is
// still loading its data.
const replyTimeout = 30 * time.Second

// waitReady returns when the server accepts commands. Once the server reports that it is loading its
// data, waitReady waits without a time limit.
func (c *child) waitReady(ctx context.Context, socket string) error {
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	loading, timeout := false, time.After(replyTimeout)
	for {
		select {
		case err := <-c.died:
			return fmt.Errorf("%w; its last output:\n%s", err, c.output.last())
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-timeout:
			return fmt.Errorf("no reply within %v; its last output:\n%s", replyTimeout, c.output.last())
		case <-ticker.C:
		}
		switch ping(socket) {
		case "+PONG":
			return nil
		case "":
		default: // -LOADING
			if !loading {
				loading, timeout = true, nil
				ticker.Reset(50 * time.Millisecond)
				c.log.Info("Redis is loading its data", "data_dir", c.dataDir)
			}
		}
	}
}

// ping sends a PING and returns the reply, or "" if no reply arrives within a second.
func ping(socket string) string {
	conn, err := net.DialTimeout("unix", socket, time.Second)
	if err != nil {
		return ""
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return ""
	}
	reply, _ := bufio.NewReader(conn).ReadString('\n')
	return strings.TrimSpace(reply)
}
