package oidc

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"burble/app/accounts"
	"burble/app/identity"
	"burble/app/peer"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// authorization is the state of a sign-in at the provider.
type authorization struct {
	Nonce    string        `json:"nonce"`
	Verifier string        `json:"verifier"` // of PKCE (RFC 7636)
	Redirect string        `json:"redirect"`
	Next     string        `json:"next"`
	Guest    identity.User `json:"guest"`
}

// Begin starts a sign-in at the provider. redirect is the URL that the provider sends its response to. guest, if
// set, is the guest who gets the account. The caller must have verified the guest's token. next is the page to show
// afterwards; anything but a path of this site becomes "/".
//
// It returns the address to redirect the browser to, and the state, which the caller must set as a __Host-
// cookie. The cookie ties the response to this browser, which prevents login CSRF.
func (p *Provider) Begin(ctx context.Context, redirect, next string, guest identity.User) (address, state string, err error) {
	found, err := p.discover()
	if err != nil {
		return "", "", err
	}
	ceremony := authorization{rand.Text(), oauth2.GenerateVerifier(), redirect, peer.LocalPath(next), guest}
	if state, err = p.accounts.StartCeremony(ctx, "oidc", ceremony); err != nil {
		return "", "", err
	}
	address = found.oauth.AuthCodeURL(state, oidc.Nonce(ceremony.Nonce), oauth2.S256ChallengeOption(ceremony.Verifier),
		redirectTo(redirect))
	return address, state, nil
}

func redirectTo(address string) oauth2.AuthCodeOption {
	return oauth2.SetAuthURLParam("redirect_uri", address)
}

// Finish verifies the provider's response and signs in. cookie is the state from the browser's cookie, and
// response is the query of the request. A person who signs in for the first time gets an account. s.User is ignored. It
// returns accounts.ErrNotAllowed if Options.Domains does not include the domain of the person's email address.
func (p *Provider) Finish(ctx context.Context, cookie string, response url.Values, s accounts.SignIn) (signedIn accounts.SignedIn, next string, err error) {
	state := response.Get("state")
	if state == "" || subtle.ConstantTimeCompare([]byte(state), []byte(cookie)) != 1 {
		return signedIn, "", p.refuse("the state does not match the cookie")
	}
	found, err := p.discover() // before TakeCeremony, so that the person can try again after an error
	if err != nil {
		return signedIn, "", err
	}
	var ceremony authorization
	if err := p.accounts.TakeCeremony(ctx, "oidc", state, &ceremony); err != nil {
		return signedIn, "", err
	}
	if response.Get("code") == "" {
		return signedIn, "", p.refuse("the provider did not sign the person in")
	}
	token, err := found.oauth.Exchange(p.with(ctx), response.Get("code"), oauth2.VerifierOption(ceremony.Verifier),
		redirectTo(ceremony.Redirect))
	if err != nil {
		return signedIn, "", p.exchangeError(err)
	}
	who, err := p.identify(ctx, found, token, ceremony.Nonce)
	if err != nil {
		return signedIn, "", err
	}
	if s.User = ceremony.Guest; s.User.ID == "" {
		s.User.Name = who.displayName()
	}
	signedIn, err = p.accounts.SignInWithIdentity(ctx, accounts.Identity{Issuer: p.options.Issuer, Subject: who.Subject, SID: who.SID}, state, s)
	return signedIn, ceremony.Next, err
}

// exchangeError returns ErrRefused if the provider refused the code, and ErrUnavailable otherwise.
func (p *Provider) exchangeError(err error) error {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && refused.Response.StatusCode/100 == 4 && refused.Response.StatusCode != http.StatusTooManyRequests {
		if refused.ErrorCode == "invalid_client" || refused.ErrorCode == "unauthorized_client" {
			p.options.Log.Warn("the identity provider rejects the client ID or secret")
		}
		return p.refuse("the provider refused the code")
	}
	p.options.Log.Warn("cannot exchange a code at the identity provider")
	return accounts.ErrUnavailable
}

// claims describe a person, according to the provider.
type claims struct {
	Subject         string `json:"sub"`
	SID             string `json:"sid"`
	AuthorizedParty string `json:"azp"`
	Email           string `json:"email"`
	EmailVerified   any    `json:"email_verified"` // some providers send a string
	Name            string `json:"name"`
	Username        string `json:"preferred_username"`
}

func (c claims) isVerified() bool { return c.EmailVerified == true || c.EmailVerified == "true" }

// identify verifies the ID token. The library checks its signature, issuer, audience and expiry, and identify checks the
// nonce, authorized party, access token and domain.
func (p *Provider) identify(ctx context.Context, found *endpoints, token *oauth2.Token, nonce string) (who claims, err error) {
	raw, _ := token.Extra("id_token").(string)
	verified, err := found.verifier.Verify(p.with(ctx), raw)
	if err != nil {
		return who, p.refuse("the ID token is not valid")
	}
	if err := verified.Claims(&who); err != nil || who.Subject == "" {
		return who, p.refuse("the ID token has no subject")
	}
	switch {
	case subtle.ConstantTimeCompare([]byte(verified.Nonce), []byte(nonce)) != 1:
		return who, p.refuse("the ID token has a different nonce")
	case len(verified.Audience) > 1 && who.AuthorizedParty != p.options.ClientID:
		return who, p.refuse("the ID token is for another client")
	case verified.AccessTokenHash != "" && verified.VerifyAccessToken(token.AccessToken) != nil:
		return who, p.refuse("the access token does not match the ID token")
	}
	if who.Email == "" && len(p.options.Domains) > 0 && found.provider.UserInfoEndpoint() != "" {
		info, err := found.provider.UserInfo(p.with(ctx), oauth2.StaticTokenSource(token))
		if err != nil || info.Subject != who.Subject {
			return who, p.refuse("the provider does not return the email address")
		}
		who.Email, who.EmailVerified = info.Email, info.EmailVerified
	}
	if !p.mayJoin(who.Email, who.isVerified()) {
		p.options.Log.Info("refused a person whose email address is not verified or is in another domain")
		return who, accounts.ErrNotAllowed
	}
	return who, nil
}

// displayName returns a valid name for the person.
func (c claims) displayName() string {
	local, _, _ := strings.Cut(c.Email, "@")
	for _, name := range []string{c.Name, c.Username, local} {
		if user, err := identity.NewUser(name); err == nil {
			return user.Name
		}
	}
	return "New member"
}

// Logout handles a logout token that the provider sent (OpenID Connect Back-Channel Logout). It ends the
// sessions that the session at the provider started, or, if the token names none, all that the subject started. For a
// token that is not valid, or was used before, it returns ErrRefused. After ErrUnavailable, the provider may send the
// token again.
func (p *Provider) Logout(ctx context.Context, raw string) error {
	found, err := p.discover()
	if err != nil {
		return err
	}
	token, err := found.verifier.VerifyLogout(p.with(ctx), raw)
	if err != nil {
		return p.refuse("the logout token is not valid")
	}
	kept := token.Expiry.Sub(p.options.Now()) + 2*maxSkew
	if kept > maxLogoutLifetime {
		return p.refuse("the logout token is valid for too long")
	}
	id := p.options.Issuer + " " + token.TokenID
	wasUsed, err := p.accounts.WasUsed(ctx, "logout", id)
	if err != nil {
		return err
	}
	if wasUsed {
		return p.refuse("the logout token was used before")
	}
	who := accounts.Identity{Issuer: p.options.Issuer, Subject: token.Subject, SID: token.SessionID}
	if err := p.accounts.SignOutIdentity(ctx, who); err != nil {
		return err
	}
	return p.accounts.MarkUsed(ctx, "logout", id, kept)
}
