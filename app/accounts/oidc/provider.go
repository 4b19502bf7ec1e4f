package oidc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"burble/app/accounts"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const (
	// providerTimeout limits each request to the provider.
	providerTimeout = 10 * time.Second
	// discoveryRetry is how long after a failed discovery the next one may run.
	discoveryRetry = 5 * time.Second
	// maxProviderResponse limits the size of a response from the provider, in bytes.
	maxProviderResponse = 1 << 20
	// maxSkew is how far the provider's clock may differ from this server's.
	maxSkew = 2 * time.Minute
	// maxLogoutLifetime limits how long a used logout token is remembered.
	maxLogoutLifetime = 24 * time.Hour
)

// Options configure a Provider.
type Options struct {
	Issuer       string // exactly as the provider spells it, including any trailing slash
	ClientID     string
	ClientSecret string
	// Domains are the domains of email addresses that may sign in. If it is not empty, the provider must have verified the
	// person's address.
	Domains []string
	// Client sends the requests to the provider. If nil, it is http.DefaultClient.
	Client *http.Client
	Log    *slog.Logger
	// Now returns the time. If nil, it is time.Now.
	Now func() time.Time
}

// Provider signs people in with an OpenID Connect provider. It is safe for concurrent use.
type Provider struct {
	accounts *accounts.Accounts
	options  Options
	client   *http.Client

	mu         sync.Mutex // held during discovery, so that callers share it
	discovered *endpoints
	failed     error
	failedAt   time.Time
}

// New returns a Provider. It sends no requests. The first sign-in discovers the provider's endpoints. If that fails, later
// sign-ins try again.
func New(a *accounts.Accounts, options Options) (*Provider, error) {
	issuer, err := url.Parse(options.Issuer)
	if err != nil || issuer.Host == "" || issuer.Scheme != "https" && issuer.Scheme != "http" {
		return nil, errors.New("the issuer must be an absolute URL, such as https://login.example.com")
	}
	if options.ClientID == "" {
		return nil, errors.New("the client ID of the identity provider is missing")
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	client := http.Client{}
	if options.Client != nil {
		client = *options.Client
	}
	if client.Transport == nil {
		client.Transport = http.DefaultTransport
	}
	client.Timeout = providerTimeout
	client.Transport = boundedTransport{client.Transport}
	return &Provider{accounts: a, options: options, client: &client}, nil
}

// boundedTransport limits the size of responses, which the libraries read into memory.
type boundedTransport struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := t.RoundTripper.RoundTrip(r)
	if err == nil {
		response.Body = boundedBody{io.LimitReader(response.Body, maxProviderResponse), response.Body}
	}
	return response, err
}

type boundedBody struct {
	io.Reader
	io.Closer
}

// endpoints are what discovery returned.
type endpoints struct {
	provider *oidc.Provider
	verifier *oidc.IDTokenVerifier // of ID tokens and logout tokens
	// oauth remembers how the token endpoint expects the client's secret, after trying both ways.
	oauth *oauth2.Config
}

// discover returns the provider's endpoints and keys. Concurrent callers share one request. After a failure, it returns
// the same error for discoveryRetry.
func (p *Provider) discover() (*endpoints, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.discovered != nil {
		return p.discovered, nil
	}
	if p.failed != nil && time.Since(p.failedAt) < discoveryRetry {
		return nil, p.failed
	}
	// The context of one caller must not end the request of the others.
	found, err := oidc.NewProvider(p.with(context.Background()), p.options.Issuer)
	if err != nil {
		p.options.Log.Warn("cannot discover the identity provider", "issuer", p.options.Issuer, "error", fmt.Sprintf("%.200s", err))
		p.failed, p.failedAt = fmt.Errorf("%w: the identity provider does not respond", accounts.ErrUnavailable), time.Now()
		return nil, p.failed
	}
	p.discovered, p.failed = p.endpoints(found), nil
	return p.discovered, nil
}

// with returns a context that makes the libraries use p.client.
func (p *Provider) with(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, p.client)
}

func (p *Provider) endpoints(found *oidc.Provider) *endpoints {
	return &endpoints{
		provider: found,
		verifier: found.Verifier(&oidc.Config{
			ClientID: p.options.ClientID,
			Now:      func() time.Time { return p.options.Now().Add(-maxSkew) },
		}),
		oauth: &oauth2.Config{
			ClientID: p.options.ClientID, ClientSecret: p.options.ClientSecret, Endpoint: found.Endpoint(),
			Scopes: []string{oidc.ScopeOpenID, oidc.ScopeProfile, oidc.ScopeEmail},
		},
	}
}

// mayJoin reports whether a person with the email address may join, according to Options.Domains.
func (p *Provider) mayJoin(email string, isVerified bool) bool {
	if len(p.options.Domains) == 0 {
		return true
	}
	at := strings.LastIndexByte(email, '@')
	if at < 1 || !isVerified {
		return false
	}
	for _, domain := range p.options.Domains {
		if strings.EqualFold(email[at+1:], strings.TrimSpace(domain)) {
			return true
		}
	}
	return false
}

// refuse logs why the provider's response was rejected, and returns ErrRefused. The libraries' errors
// may contain codes and tokens, so only reason is logged.
func (p *Provider) refuse(reason string) error {
	p.options.Log.Info("rejected a response from the identity provider", "reason", reason)
	return accounts.ErrRefused
}
