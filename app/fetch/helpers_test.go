package fetch_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"burble/app/fetch"

	"golang.org/x/net/dns/dnsmessage"
)

// The helpers of these tests:
//
//	startSite(t, handler)    a site on the loopback interface that a Client may reach, and its own name server
//	site.url(host, path)     an address on the site's port

var ctx = context.Background()

// patience is the deadline for what happens soon, unless the machine is slow.
const patience = time.Minute

// A site is a server on 127.0.0.1, and a name server.
type site struct {
	port    string
	client  *fetch.Client
	guard   fetch.Guard
	mu      sync.Mutex
	answers map[string][]string // for each name, addresses that are returned in turn
	hosts   []string            // of the requests that arrived
	headers []http.Header
}

func startSite(t *testing.T, handler http.HandlerFunc) *site {
	t.Helper()
	s := &site{answers: map[string][]string{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.hosts, s.headers = append(s.hosts, r.Host), append(s.headers, r.Header.Clone())
		s.mu.Unlock()
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	address := netip.MustParseAddrPort(server.Listener.Addr().String())
	_, s.port, _ = net.SplitHostPort(address.String())
	s.guard = fetch.Guard{Resolver: s.startResolver(t), Exempt: address}
	s.client = fetch.New(fetch.Options{UserAgent: "Burble test", Guard: s.guard})
	return s
}

func (s *site) url(host, path string) string { return "http://" + host + ":" + s.port + path }

func (s *site) requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.hosts)
}

// resolveTo sets what the name server answers, one address after the other.
func (s *site) resolveTo(name string, addresses ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[name+"."] = addresses
}

// next returns the address for the name.
func (s *site) next(name string, kind dnsmessage.Type) (netip.Addr, bool) {
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

func (s *site) startResolver(t *testing.T) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		query := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(query)
			if err != nil {
				return
			}
			var message dnsmessage.Message
			if message.Unpack(query[:n]) == nil && len(message.Questions) == 1 {
				if answer, err := s.answer(message); err == nil {
					conn.WriteTo(answer, from)
				}
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func (s *site) answer(query dnsmessage.Message) ([]byte, error) {
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
