// Package fetchtest starts a web site on the loopback interface for tests of package fetch. Only the site's own
// [fetch.Guard] may reach it, and its name server can lie.
//
//	site := fetchtest.Start(t, http.NotFound)
//	site.ResolveTo("site.example", "127.0.0.1")
//	client := fetch.New(fetch.Options{UserAgent: "test", Guard: site.Guard})
//	_, err := client.Page(ctx, site.URL("site.example", "/page"))
package fetchtest

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"burble/app/fetch"

	"golang.org/x/net/dns/dnsmessage"
)

// A Site is a server on 127.0.0.1, and a name server. It counts the requests that arrive.
type Site struct {
	Port  string
	Guard fetch.Guard // reaches the site, and resolves names as ResolveTo sets

	mu      sync.Mutex
	answers map[string][]string // for each name, addresses that are returned in turn
	hosts   []string            // of the requests that arrived
	headers []http.Header
}

// Start starts a site, until the test ends.
func Start(t testing.TB, handler http.HandlerFunc) *Site {
	t.Helper()
	s := &Site{answers: map[string][]string{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.hosts, s.headers = append(s.hosts, r.Host), append(s.headers, r.Header.Clone())
		s.mu.Unlock()
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	address := netip.MustParseAddrPort(server.Listener.Addr().String())
	_, s.Port, _ = net.SplitHostPort(address.String())
	s.Guard = fetch.Guard{Resolver: s.resolver(), Exempt: address}
	return s
}

// Listen starts another service at the address, such as "[::1]:8080". If the system lacks the address, nothing can reach it.
func Listen(t testing.TB, address string, handler http.HandlerFunc) {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Logf("no service at %s: %v", address, err)
		return
	}
	server := httptest.NewUnstartedServer(handler)
	server.Listener.Close()
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
}

// URL returns an address on the port of the site.
func (s *Site) URL(host, path string) string { return "http://" + host + ":" + s.Port + path }

// Hosts returns the Host headers of the requests that arrived.
func (s *Site) Hosts() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.hosts)
}

// Headers returns the headers of the requests that arrived.
func (s *Site) Headers() []http.Header {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.headers)
}

// ResolveTo sets what the name server answers, one address after the other.
func (s *Site) ResolveTo(name string, addresses ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[name+"."] = addresses
}

// next returns the next address for the name, if it has the family that kind requests.
func (s *Site) next(name string, kind dnsmessage.Type) (netip.Addr, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	addresses := s.answers[name]
	if len(addresses) == 0 {
		return netip.Addr{}, false
	}
	address := netip.MustParseAddr(addresses[0])
	if address.Is4() != (kind == dnsmessage.TypeA) {
		return netip.Addr{}, false
	}
	if len(addresses) > 1 {
		s.answers[name] = addresses[1:]
	}
	return address, true
}

// resolver returns a resolver that queries the site, over connections in memory.
func (s *Site) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go s.serveNames(server)
		return client, nil
	}}
}

// serveNames answers queries in the format of DNS over TCP (RFC 1035, section 4.2.2) until the client closes the connection.
func (s *Site) serveNames(conn net.Conn) {
	defer conn.Close()
	for {
		var length [2]byte
		if _, err := io.ReadFull(conn, length[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(conn, query); err != nil {
			return
		}
		var message dnsmessage.Message
		if message.Unpack(query) != nil || len(message.Questions) != 1 {
			return
		}
		answer, err := s.answer(message)
		if err != nil {
			return
		}
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)); err != nil {
			return
		}
	}
}

func (s *Site) answer(query dnsmessage.Message) ([]byte, error) {
	question := query.Questions[0]
	reply := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: query.ID, Response: true, RecursionAvailable: true},
		Questions: query.Questions,
	}
	header := dnsmessage.ResourceHeader{Name: question.Name, Class: dnsmessage.ClassINET}
	if address, ok := s.next(strings.ToLower(question.Name.String()), question.Type); ok {
		var body dnsmessage.ResourceBody = &dnsmessage.AAAAResource{AAAA: address.As16()}
		if address.Is4() {
			body = &dnsmessage.AResource{A: address.As4()}
		}
		reply.Answers = []dnsmessage.Resource{{Header: header, Body: body}}
	}
	return reply.Pack()
}
