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

	ClientName string // reported by CLIENT LIST; may be empty

	// Dialer opens the connections. nil means go-redis's dialer.
	Dialer func(ctx context.Context, network, addr string) (net.Conn, error)
}

// InCluster reports whether the address is that of a Redis Cluster.
func (a *Address) InCluster() bool {
	return a.IsClusterMode || a.MasterName == "" && len(a.Addrs) > 1
}

// ParseURL parses the URL of one server, in the form of [redis.ParseURL]. It ignores the options for pools and timeouts.
func ParseURL(rawURL string) (*Address, error) {
	o, err := redis.ParseURL(rawURL)
	if err != nil {
		return nil, err
	}
	return &Address{
		Addrs: []string{o.Addr}, Username: o.Username, Password: o.Password, DB: o.DB, Protocol: o.Protocol, TLSConfig: o.TLSConfig,
	}, nil
}

// universalOptions returns options for [redis.NewUniversalClient].
func universalOptions(a *Address) *redis.UniversalOptions {
	return &redis.UniversalOptions{
		Addrs: a.Addrs, IsClusterMode: a.IsClusterMode, MasterName: a.MasterName,
		Username: a.Username, Password: a.Password,
		SentinelUsername: a.SentinelUsername, SentinelPassword: a.SentinelPassword,
		DB: a.DB, Protocol: a.Protocol, ClientName: a.ClientName, TLSConfig: a.TLSConfig, Dialer: a.Dialer,
	}
}
