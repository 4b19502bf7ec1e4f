package main

import (
	"errors"
	"log/slog"
	"net/url"
	"strings"

	"burble/app/accounts"
	"burble/app/accounts/oidc"
)

// newProvider returns the configured identity provider, or nil if there is none. It does not connect to it.
func newProvider(config Config, people *accounts.Accounts, log *slog.Logger) (*oidc.Provider, error) {
	if config.OIDCIssuer == "" {
		return nil, nil
	}
	return oidc.New(people, oidc.Options{
		Issuer: config.OIDCIssuer, ClientID: config.OIDCClientID, ClientSecret: config.OIDCSecret, Domains: config.OIDCDomains, Log: log,
	})
}

// checkProvider returns an error if the identity provider is configured only in part.
func checkProvider(config Config) error {
	switch isSet := config.OIDCClientID != "" || config.OIDCSecret != "" || len(config.OIDCDomains) > 0; {
	case config.OIDCIssuer == "" && isSet:
		return errors.New("OIDC_ISSUER is empty, but other OIDC_ variables are set: set it to the URL of the identity provider")
	case config.OIDCIssuer != "" && config.OIDCClientID == "":
		return errors.New("OIDC_CLIENT_ID is empty: set it to the client ID that the identity provider has given to Burble")
	}
	return nil
}

// providerName returns the name that pages show for an identity provider.
func providerName(issuer string) string {
	parsed, err := url.Parse(issuer)
	if err != nil {
		return issuer
	}
	known := []struct{ host, name string }{
		{"accounts.google.com", "Google"}, {"login.microsoftonline.com", "Microsoft"}, {"gitlab.com", "GitLab"}, {".okta.com", "Okta"}, {".auth0.com", "Auth0"},
	}
	for _, provider := range known {
		if strings.HasSuffix(parsed.Hostname(), provider.host) {
			return provider.name
		}
	}
	return parsed.Hostname()
}

func setIssuer(config *Config, value string) error {
	config.OIDCIssuer = value
	issuer, err := url.Parse(value)
	if value != "" && (err != nil || issuer.Host == "" || issuer.Scheme != "https" && issuer.Scheme != "http") {
		return errors.New("a URL with https:, exactly as the identity provider writes it")
	}
	return nil
}

// setText returns a set function for any text.
func setText(field func(*Config) *string) func(*Config, string) error {
	return func(config *Config, value string) error {
		*field(config) = value
		return nil
	}
}

func setDomains(config *Config, value string) error {
	for item := range strings.SplitSeq(value, ",") {
		if item = strings.ToLower(strings.TrimSpace(item)); item == "" {
			continue
		}
		if strings.ContainsAny(item, "@/: ") || !strings.Contains(item, ".") {
			return errors.New("a list of domains separated by commas, such as example.org")
		}
		config.OIDCDomains = append(config.OIDCDomains, item)
	}
	return nil
}
