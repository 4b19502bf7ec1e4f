//go:build unix

package apptest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"burble/app/client"
)

// Client returns a client of the server that acts as the token's user. Without a token, it can only
// read. After a restart, it finds the new port.
func (s *Server) Client(token string) *client.Server {
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		host := strings.TrimPrefix(s.URL(), "http://")
		if host == "" {
			return nil, errors.New("the server is not listening")
		}
		return new(net.Dialer).DialContext(ctx, network, host)
	}
	return &client.Server{
		URL: "http://localhost", Token: token, DialContext: dial,
		Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true},
	}
}

// IsLong reports whether CI is set, so a test may take minutes. Otherwise it logs how the test is
// shortened.
func IsLong(t testing.TB, shortened string) bool {
	t.Helper()
	if os.Getenv("CI") != "" {
		return true
	}
	t.Logf("shortened: %s; CI=true runs it in full", shortened)
	return false
}
