package conns

import (
	"context"
	"net"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// connectTimeout is the timeout for opening a connection to Redis or to a Sentinel.
	connectTimeout = 3 * time.Second
	// sentinelTimeout is the timeout for a Sentinel's reply to a command.
	sentinelTimeout = time.Second
)

// skipHungSentinels changes the options so that the client skips a Sentinel that accepts connections but
// does not answer.
//
// To find the primary, go-redis queries its current Sentinel twice, with retries, before it queries the
// others. If the dial timeout ends first, go-redis keeps that Sentinel and queries it again on every
// later dial.
func skipHungSentinels(options *redis.UniversalOptions) {
	dial := options.Dialer
	if dial == nil {
		dial = redis.NewDialer(&redis.Options{DialTimeout: connectTimeout, TLSConfig: options.TLSConfig})
	}
	sentinels := options.Addrs
	options.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, connectTimeout)
		defer cancel()
		conn, err := dial(ctx, network, addr)
		if err == nil && slices.Contains(sentinels, addr) {
			conn = sentinelConn{conn}
		}
		return conn, err
	}
	attempts := time.Duration(1 + max(0, options.MaxRetries))
	options.DialTimeout = 2*attempts*(sentinelTimeout+options.MaxRetryBackoff) + sentinelTimeout + connectTimeout
}

// sentinelConn is a connection to a Sentinel with a shorter timeout for replies. Waiting for published
// messages still has no timeout.
type sentinelConn struct{ net.Conn }

func (c sentinelConn) SetReadDeadline(deadline time.Time) error {
	if limit := time.Now().Add(sentinelTimeout); deadline.After(limit) {
		deadline = limit
	}
	return c.Conn.SetReadDeadline(deadline)
}
