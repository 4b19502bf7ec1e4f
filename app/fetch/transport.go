package fetch

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"syscall"
	"time"
)

// Guard determines which addresses may be reached. Use the zero Guard, except in tests.
type Guard struct {
	// Resolver resolves names. nil means the system's.
	Resolver *net.Resolver
	// Exempt may be reached although it is not public. It is for tests with a server on the loopback interface.
	Exempt netip.AddrPort
}

// NewTransport returns a transport that reaches only what the guard allows. It opens a connection for each request,
// uses HTTP/1.1, and reads at most 64 KiB of header. The caller must limit time, redirects and the size of the body.
func NewTransport(guard Guard) http.RoundTripper {
	dialer := &net.Dialer{Timeout: 10 * time.Second, Resolver: guard.Resolver, Control: guard.control}
	return guardedTransport{guard, &http.Transport{
		Proxy:                  nil, // not from the environment, as http.DefaultTransport would
		DialContext:            dialer.DialContext,
		DisableKeepAlives:      true,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  10 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}}
}

type guardedTransport struct {
	guard     Guard
	transport *http.Transport
}

// RoundTrip implements http.RoundTripper.
func (t guardedTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	if err := t.guard.checkURL(request.URL); err != nil {
		if request.Body != nil {
			request.Body.Close()
		}
		return nil, err
	}
	return t.transport.RoundTrip(request)
}

// control is called with each address before it is dialed. Names are resolved by then.
func (g Guard) control(_, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %s", ErrRefused, address)
	}
	if g.Exempt.IsValid() && target == g.Exempt {
		return nil
	}
	if !IsPublic(target.Addr()) || !slices.Contains([]uint16{80, 443}, target.Port()) {
		return fmt.Errorf("%w: %s", ErrRefused, target)
	}
	return nil
}

// checkURL checks what is known before the name is resolved.
func (g Guard) checkURL(target *url.URL) error {
	port := target.Port()
	isPort := port == "" || port == "80" || port == "443" || g.Exempt.IsValid() && port == fmt.Sprint(g.Exempt.Port())
	switch {
	case target.Scheme != "http" && target.Scheme != "https":
		return fmt.Errorf("%w: scheme %q", ErrRefused, target.Scheme)
	case target.Hostname() == "":
		return fmt.Errorf("%w: no host", ErrRefused)
	case target.User != nil:
		return fmt.Errorf("%w: credentials in the address", ErrRefused)
	case !isPort:
		return fmt.Errorf("%w: port %s", ErrRefused, port)
	}
	return nil
}
