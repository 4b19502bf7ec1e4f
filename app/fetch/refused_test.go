package fetch_test

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"burble/app/fetch"
)

// unreachable are addresses that must not be reached. PORT stands for the port of the site, which may be reached at
// 127.0.0.1 only.
var unreachable = []string{
	// Literal IPv4.
	"http://127.0.0.1/", "http://127.0.0.2:PORT/", "http://0.0.0.0/", "http://10.1.2.3/", "http://172.31.255.255/",
	"http://192.168.1.1/", "http://169.254.169.254/latest/meta-data/", "http://169.254.170.2/v2/credentials",
	"http://100.100.100.200/latest/meta-data/", "http://168.63.129.16/machine", "http://192.0.0.192/opc/v2/",
	"http://100.64.0.1/", "http://192.0.2.1/", "http://198.18.0.1/", "http://198.51.100.1/", "http://203.0.113.1/",
	"http://192.88.99.1/", "http://224.0.0.1/", "http://240.0.0.1/", "http://255.255.255.255/",
	// IPv4 in other forms.
	"http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/", "http://127.1/", "http://0/",
	"http://127.0.0.1./", "http://１２７.０.０.１/",
	// Literal IPv6.
	"http://[::1]/", "http://[::]/", "http://[fe80::1]/", "http://[fe80::1%25lo]/", "http://[fe80::1%25eth0]/",
	"http://[fc00::1]/", "http://[fdaa::3]/", "http://[fd00:ec2::254]/", "http://[fec0::1]/", "http://[ff02::1]/",
	"http://[2001:db8::1]/", "http://[3fff::1]/", "http://[100::1]/", "http://[5f00::1]/",
	// IPv6 that contains IPv4: mapped, compatible, NAT64, 6to4, Teredo, ISATAP.
	"http://[::ffff:127.0.0.1]/", "http://[::ffff:a9fe:a9fe]/", "http://[::127.0.0.1]/", "http://[64:ff9b::7f00:1]/",
	"http://[64:ff9b::a9fe:a9fe]/", "http://[64:ff9b:1::a00:1]/", "http://[2002:7f00:1::]/", "http://[2002:a9fe:a9fe::1]/",
	"http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/", "http://[2600:1::5efe:127.0.0.1]/", "http://[2600:1::200:5efe:10.0.0.1]/",
	// Names.
	"http://localhost/", "http://localhost./", "http://private.test/", "http://private6.test/", "http://metadata.test/",
	"http://mapped.test/", "https://private.test/",
	// Not HTTP, other ports, credentials.
	"ftp://public.test/", "file:///etc/passwd", "gopher://127.0.0.1:6379/_INFO", "javascript:alert(1)", "data:text/html,a", "//public.test/",
	"http://public.test:22/", "http://public.test:6379/", "http://public.test:8080/", "http://user@public.test/",
	"http://user:password@public.test/", "http:///path", "http://", "", "http://public.test:80:80/", "http://a b/",
}

func refusingSite(t *testing.T, handler http.HandlerFunc) *site {
	t.Helper()
	s := startSite(t, handler)
	s.ResolveTo("site.test", "127.0.0.1")
	s.ResolveTo("private.test", "10.0.0.1")
	s.ResolveTo("private6.test", "fd00::1")
	s.ResolveTo("metadata.test", "169.254.169.254")
	s.ResolveTo("mapped.test", "::ffff:10.0.0.1")
	s.ResolveTo("loopback.test", "127.0.0.2")
	return s
}

func TestUnreachableAddresses(t *testing.T) {
	t.Parallel()
	s := refusingSite(t, func(w http.ResponseWriter, _ *http.Request) { t.Error("a request arrived") })
	for _, address := range unreachable {
		address = strings.ReplaceAll(address, "PORT", s.Port)
		if _, err := s.client.Page(ctx, address); !isRefused(err) {
			t.Errorf("%s: got the error %v, want a refusal", address, err)
		}
	}
}

// isRefused reports whether no connection was attempted: the address was refused, or its name did not resolve.
func isRefused(err error) bool {
	return errors.Is(err, fetch.ErrRefused) || err != nil && (strings.Contains(err.Error(), "no such host") || strings.Contains(err.Error(), "invalid domain"))
}

func TestUnreachableAfterRedirect(t *testing.T) {
	t.Parallel()
	var target string
	s := refusingSite(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/again", http.StatusFound)
			return
		}
		w.Header().Set("Location", target)
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	for _, target = range unreachable {
		target = strings.ReplaceAll(target, "PORT", s.Port)
		if target == "" || strings.HasPrefix(target, "//") {
			continue // relative: another path, or another host with the scheme of the first
		}
		_, err := s.client.Page(ctx, s.URL("site.test", "/"))
		if !isRefused(err) && (err == nil || !strings.Contains(err.Error(), "failed to parse Location header")) {
			t.Errorf("redirect to %s: got the error %v, want a refusal", target, err)
		}
	}
	for _, host := range s.Hosts() {
		if host != "site.test:"+s.Port {
			t.Errorf("a request for %s arrived, want requests for site.test only", host)
		}
	}
	if len(s.Hosts()) < 2*len(unreachable)-10 {
		t.Errorf("%d requests arrived at the site, want two for each address", len(s.Hosts()))
	}
}

// A name may resolve to a public address when it is checked, and to a private one when it is dialed.
func TestRebinding(t *testing.T) {
	t.Parallel()
	s := refusingSite(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/", http.StatusFound)
	})
	s.ResolveTo("rebinding.test", "127.0.0.1", "127.0.0.1", "127.0.0.2")
	_, err := s.client.Page(ctx, s.URL("rebinding.test", "/"))
	if !errors.Is(err, fetch.ErrRefused) {
		t.Errorf("got the error %v, want %v", err, fetch.ErrRefused)
	}
	if len(s.Hosts()) == 0 || len(s.Hosts()) > 2 {
		t.Errorf("%d requests arrived, want 1 or 2, before the name changed", len(s.Hosts()))
	}
}

// The exemption of a test is for one port of one address only.
func TestExemptionIsNarrow(t *testing.T) {
	t.Parallel()
	s := refusingSite(t, func(w http.ResponseWriter, _ *http.Request) { t.Error("a request arrived") })
	for _, address := range []string{s.URL("127.0.0.2", "/"), s.URL("loopback.test", "/"), "http://127.0.0.1:1/", "http://site.test/"} {
		if _, err := s.client.Page(ctx, address); !errors.Is(err, fetch.ErrRefused) {
			t.Errorf("%s: got the error %v, want %v", address, err, fetch.ErrRefused)
		}
	}
}

func TestProxiesOfEnvironmentAreIgnored(t *testing.T) {
	s := refusingSite(t, func(w http.ResponseWriter, _ *http.Request) { t.Error("a request arrived at the proxy") })
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
		t.Setenv(name, s.URL("127.0.0.1", "/"))
	}
	for _, address := range []string{"http://private.test/", "https://private.test/"} {
		if _, err := s.client.Page(ctx, address); !errors.Is(err, fetch.ErrRefused) {
			t.Errorf("%s: got the error %v, want %v", address, err, fetch.ErrRefused)
		}
	}
}

func TestIsPublic(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"1.1.1.1", "8.8.8.8", "66.241.124.1", "172.32.0.1", "172.15.255.255", "100.63.255.255", "100.128.0.0",
		"192.0.1.1", "198.20.0.0", "223.255.255.255", "::ffff:8.8.8.8", "2600::1", "2606:4700::1111", "2a09:8280:1::1", "2001:4860:4860::8888", "2003::1"} {
		if !fetch.IsPublic(netip.MustParseAddr(address)) {
			t.Errorf("IsPublic(%s) = false, want true", address)
		}
	}
	for _, address := range []string{"0.255.255.255", "127.255.255.255", "172.16.0.0", "172.31.255.255", "169.254.0.0", "198.19.255.255", "239.255.255.255",
		"2001:1ff:ffff::", "2001:db8:ffff::1", "2002:ffff::1", "1fff:ffff::1", "4000::1", "::ffff:10.0.0.1", "2600::1%eth0"} {
		if fetch.IsPublic(netip.MustParseAddr(address)) {
			t.Errorf("IsPublic(%s) = true, want false", address)
		}
	}
	if fetch.IsPublic(netip.Addr{}) {
		t.Error("the zero address is public")
	}
}
