package conns

import (
	"context"
	"net"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// connectTimeout limits how long a connection to Redis or to a Sentinel takes to open.
	connectTimeout = 3 * time.Second
	// sentinelTimeout limits how long a Sentinel takes to answer a command.
	sentinelTimeout = time.Second
)

// throughSentinel gives up a Sentinel that accepts connections and does not answer.
//
// To find the primary, go-redis asks its Sentinel twice, with retries, before it asks
// the others. It keeps the Sentinel if the dial timeout ends first, and would then
// ask the same one on the next dial, and on every one after that.
func throughSentinel(options *redis.UniversalOptions) {
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

// sentinelConn is a connection to a Sentinel. It shortens the timeout of a reply.
// The wait for published messages has no timeout, and keeps none.
type sentinelConn struct{ net.Conn }

func (c sentinelConn) SetReadDeadline(deadline time.Time) error {
	if limit := time.Now().Add(sentinelTimeout); deadline.After(limit) {
		deadline = limit
	}
	return c.Conn.SetReadDeadline(deadline)
}
