package signin

import (
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"burble/app/accounts"
	"burble/app/accounts/oidc"
	"burble/app/accounts/passkeys"
	"burble/app/caller"
	"burble/app/chat"
	"burble/app/identity"
	"burble/app/negotiate"
	"burble/app/peer"
	"burble/app/protocol"
	"burble/streams"
	"burble/views"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

// Options configure the routes.
type Options struct {
	Log          *slog.Logger
	Accounts     *accounts.Accounts
	Passkeys     *passkeys.Passkeys
	Provider     *oidc.Provider // nil if there is none
	ProviderName string         // shown on pages
	Chat         *chat.Service
	Callers      *caller.Identifier
	Mode         streams.Mode // with streams.Anyone, guests may create accounts
	Origins      []string     // other origins of this server, as peer.CanonicalOrigin returns them

	// Allow counts an attempt to sign in or to use a code. It returns an error if the address must wait.
	Allow func(address string) error
	// NewPage returns the fields that every page has.
	NewPage func(c *fiber.Ctx, title string) views.Page
}

// handlers handles the routes.
type handlers struct{ Options }

// Register adds the routes. Middleware must already have checked the Origin and the token of each request.
func Register(router fiber.Router, options Options) {
	h := &handlers{options}
	router.Get("/sign-in", negotiate.NoReferrer, h.getSignIn)
	router.Post("/sign-in/options", negotiate.NoReferrer, h.limit, h.postSignInOptions)
	router.Post("/sign-in", negotiate.NoReferrer, h.limit, h.postSignIn)
	router.Post("/sign-up", negotiate.NoReferrer, h.limit, h.postSignUp)
	router.Post("/sign-out", negotiate.NoReferrer, h.postSignOut)
	router.Get("/welcome", negotiate.NoReferrer, h.getWelcome)
	router.Post("/passkeys/options", negotiate.NoReferrer, h.limit, h.postPasskeyOptions)
	router.Post("/passkeys", negotiate.NoReferrer, h.limit, h.postPasskey)
	router.Get("/oidc/start", negotiate.NoReferrer, h.limit, h.startProvider)
	router.Get("/oidc/callback", negotiate.NoReferrer, h.limit, h.finishProvider)
	router.Post("/oidc/logout", negotiate.NoReferrer, h.limit, h.postLogout)
	router.Get("/setup", negotiate.NoReferrer, h.limit, h.getSetup)
	router.Post("/setup", negotiate.NoReferrer, h.limit, h.postSetup)
	router.Get("/l/:code", negotiate.NoReferrer, h.limit, h.getLink)
	router.Post("/l/:code", negotiate.NoReferrer, h.limit, h.postLink)
	router.Get("/i/:code", negotiate.NoReferrer, h.limit, h.getInvite)
	router.Post("/i/:code", negotiate.NoReferrer, h.limit, h.postInvite)
}

// limit is middleware that counts a request against the rate limits of sign-ins.
func (h *handlers) limit(c *fiber.Ctx) error {
	if err := h.Allow(caller.Of(c).Address); err != nil {
		return err
	}
	return c.Next()
}

// site returns the site of the caller's passkeys.
func (h *handlers) site(c *fiber.Ctx) (passkeys.Site, error) {
	origin, ok := peer.CanonicalOrigin(c.Get(fiber.HeaderOrigin))
	if !ok {
		return passkeys.Site{}, protocol.Errorf(protocol.NotAllowed, "origin", "Passkeys can be used only from this server’s pages.")
	}
	parsed, err := url.Parse(origin)
	if err != nil {
		return passkeys.Site{}, err
	}
	return passkeys.Site{ID: parsed.Hostname(), Name: "Burble", Origins: []string{origin}}, nil
}

// signIn returns the SignIn of the caller, who may be a guest. name is used if the caller has no name. key is the client's
// idempotency key, or "".
func signIn(c *fiber.Ctx, name, key string) accounts.SignIn {
	s := accounts.SignIn{User: guest(c), Device: device(c.Get(fiber.HeaderUserAgent)), Key: key}
	if upgraded := caller.Of(c).UpgradedGuest; key != "" && s.User.ID == "" {
		s.User = upgraded // Package accounts refuses any key other than that of the request that created the account.
	}
	if s.User.ID == "" {
		s.User.Name = name
	}
	return s
}

// guest returns the caller if it is a guest, and otherwise the zero User.
func guest(c *fiber.Ctx) identity.User {
	if found := caller.Of(c); found.Session == nil {
		return found.User
	}
	return identity.User{}
}

// establish sets the cookie of a new session, and ends the browser's previous session.
func (h *handlers) establish(c *fiber.Ctx, signedIn accounts.SignedIn) {
	found := caller.Of(c)
	caller.SetToken(c, signedIn.Token, accounts.SessionLifetime)
	if old := found.Session; old != nil && found.HasCookie && !found.HasBearer && old.ID != signedIn.Session.ID {
		user := old.User.String()
		if err := h.Accounts.SignOut(c.UserContext(), user, user, old.ID); err != nil {
			h.Log.Warn("cannot end the session that a sign-in replaced", "user", user, "error", err)
		}
	}
}

// signInResponse is the response to a program that has signed in.
type signInResponse struct {
	User  protocol.User `json:"user"`
	Token string        `json:"token,omitempty"`
	Room  string        `json:"room,omitempty"`
	Next  string        `json:"next,omitempty"` // for the page's script
}

func userJSON(user identity.User) protocol.User { return protocol.User{ID: user.ID, Name: user.Name} }

// signInPage returns the fields that all pages for signing in have. here is the path to return to from the identity
// provider, or "".
func (h *handlers) signInPage(c *fiber.Ctx, title, here, next, code string) views.SignInPage {
	return views.SignInPage{
		Page: h.NewPage(c, title), Here: here, Next: next, Code: code, Key: uuid.NewString(), Provider: h.ProviderName,
	}
}

// welcome redirects a form to the page that offers a passkey, or to next if the person has one.
func (h *handlers) welcome(c *fiber.Ctx, signedIn accounts.SignedIn, next string) error {
	if has, err := h.Accounts.Passkeys(c.UserContext(), signedIn.User.ID); err == nil && len(has) > 0 {
		return c.Redirect(next, http.StatusSeeOther)
	}
	return c.Redirect("/welcome?next="+url.QueryEscape(next), http.StatusSeeOther)
}

// The names of the cookies that tie a response to the browser that started the sign-in.
const (
	passkeyCookie  = "passkey"
	providerCookie = "provider"
)

func cookieName(c *fiber.Ctx, name string) string {
	return caller.CookieName(caller.Of(c).TLS) + "_" + name
}

func setCookie(c *fiber.Ctx, name, value string) {
	c.Cookie(&fiber.Cookie{
		Name: cookieName(c, name), Value: value, Path: "/", MaxAge: int(accounts.CeremonyLifetime.Seconds()),
		HTTPOnly: true, SameSite: fiber.CookieSameSiteLaxMode, Secure: caller.Of(c).TLS,
	})
}

// takeCookie returns the cookie's value, and removes it from the browser.
func takeCookie(c *fiber.Ctx, name string) string {
	value := strings.Clone(c.Cookies(cookieName(c, name)))
	c.Cookie(&fiber.Cookie{
		Name: cookieName(c, name), Path: "/", Expires: time.Unix(1, 0),
		HTTPOnly: true, SameSite: fiber.CookieSameSiteLaxMode, Secure: caller.Of(c).TLS,
	})
	return value
}

// device returns a description of the client for the list of sessions, such as "Firefox on Linux".
func device(agent string) string {
	find := func(words [][2]string) string {
		i := slices.IndexFunc(words, func(word [2]string) bool { return strings.Contains(agent, word[0]) })
		if i < 0 {
			return ""
		}
		return words[i][1]
	}
	browser := find([][2]string{
		{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"},
		{"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"},
	})
	system := find([][2]string{
		{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Macintosh", "macOS"}, {"Windows", "Windows"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"},
	})
	switch {
	case browser != "" && system != "":
		return browser + " on " + system
	case browser != "":
		return browser
	}
	program, _, _ := strings.Cut(agent, "/")
	return program
}
