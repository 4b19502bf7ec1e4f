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

// Client returns a protocol client for the server for the token's user. A client without a token can
// only read. The client finds the server's new port after a restart.
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

// Long reports whether a test may take minutes, which is the case if CI is set. Otherwise it logs
// how the test is shortened.
func Long(t testing.TB, shortened string) bool {
	t.Helper()
	if os.Getenv("CI") != "" {
		return true
	}
	t.Logf("shortened: %s; CI=true runs it in full", shortened)
	return false
}
