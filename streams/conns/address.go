package conns

import (
	"context"
	"crypto/tls"
	"net"

	"github.com/redis/go-redis/v9"
)

// An Address holds the addresses and credentials of one Redis. It is a Cluster if IsClusterMode is set, or if there are
// several Addrs and no MasterName.
type Address struct {
	// Addrs are Redis servers, as host:port or as the path of a Unix socket. With MasterName, they are Sentinels.
	Addrs []string
	// IsClusterMode makes a single address that of a Cluster.
	IsClusterMode bool
	// MasterName is the name of the primary in the configuration of the Sentinels.
	MasterName string

	Username, Password string
	// SentinelUsername and SentinelPassword are for the Sentinels themselves.
	SentinelUsername, SentinelPassword string

	DB        int         // not in a Cluster
	Protocol  int         // version of RESP; 0 means go-redis's default
	TLSConfig *tls.Config // nil for connections without TLS

	// Dialer opens the connections. nil means go-redis's dialer.
	Dialer func(ctx context.Context, network, addr string) (net.Conn, error)
}

// InCluster reports whether the address is that of a Redis Cluster.
func (a *Address) InCluster() bool {
	return a.IsClusterMode || a.MasterName == "" && len(a.Addrs) > 1
}

// UniversalOptions returns options for [redis.NewUniversalClient].
func UniversalOptions(a *Address) *redis.UniversalOptions {
	return &redis.UniversalOptions{
		Addrs: a.Addrs, IsClusterMode: a.IsClusterMode, MasterName: a.MasterName,
		Username: a.Username, Password: a.Password,
		SentinelUsername: a.SentinelUsername, SentinelPassword: a.SentinelPassword,
		DB: a.DB, Protocol: a.Protocol, TLSConfig: a.TLSConfig, Dialer: a.Dialer,
	}
}
