package pages

import (
	"errors"
	"strings"
	"sync"

	"burble/app/caller"
	"burble/app/chat"
	"burble/app/identity"
	"burble/app/negotiate"
	"burble/app/protocol"
	"burble/app/throttle"
	"burble/streams"
	"burble/streams/fold"
	"burble/views"

	"github.com/gofiber/fiber/v2"
)

const (
	// MaxRooms is the maximum number of rooms in a list.
	MaxRooms = 100
	// PageSize is the number of messages on a page.
	PageSize = 50

	sidebarRooms = 50 // rooms in the sidebar, all of which the page follows
)

// Options configure Pages.
type Options struct {
	Chat    *chat.Service
	Callers *caller.Identifier
	Limits  *throttle.Limits
	Mode    streams.Mode
	Origins []string // other origins whose pages may connect
	// FileLimits are the limits of files in messages; nil if the server accepts none.
	FileLimits *protocol.FileLimits
	// HasPreviews reports whether the server fetches link previews.
	HasPreviews bool
}

// Pages serves the pages.
type Pages struct{ options Options }

// New returns Pages.
func New(options Options) *Pages { return &Pages{options} }

// Register adds the routes. The last of them matches every path below a room, so they must come after all
// other routes of rooms.
func (p *Pages) Register(router fiber.Router) {
	router.Get("/", negotiate.Response, finishSignIn, p.getHome)
	router.Get("/open", p.getOpen)
	router.Post("/session", p.postSession)
	router.Get("/r/:room", negotiate.Response, finishSignIn, p.getRoom)
	router.Get("/r/:room/:id", negotiate.Response, finishSignIn, p.getRoom)
}

// NewPage returns the fields that every page has.
func (p *Pages) NewPage(c *fiber.Ctx, title string) views.Page {
	page := views.Page{
		Title: title, Static: views.StaticPath(), NameLimit: identity.MaxName,
		Host: caller.Host(c), Origins: strings.Join(p.options.Origins, " "),
	}
	if theme := c.Cookies("theme"); theme == "light" || theme == "dark" {
		page.Theme = theme
	}
	if user := caller.Of(c).User; !user.IsZero() {
		page.User = &views.User{ID: user.ID, Name: user.Name}
		page.HasAccount = caller.Of(c).Session != nil
		page.Folded = fold.String(user.Name)
	} else if name := lostName(c); name != "" {
		page.NameInput, page.NameNotice = name, cookiesBlocked
	}
	return page
}

// Render renders a page.
func (p *Pages) Render(c *fiber.Ctx, name string, model any) error {
	p.options.Callers.Renew(c)
	c.Set(fiber.HeaderCacheControl, "private, no-cache") // no-store would slow down the browser's Back button
	return c.Render(name, model)
}

// together calls the functions concurrently, waits for all of them, and returns their errors. If one
// panics, so does together.
func together(calls ...func() error) error {
	errs, panics := make([]error, len(calls)), make([]any, len(calls))
	var running sync.WaitGroup
	for i, call := range calls {
		running.Go(func() {
			defer func() { panics[i] = recover() }()
			errs[i] = call()
		})
	}
	running.Wait()
	for _, cause := range panics {
		if cause != nil {
			panic(cause)
		}
	}
	return errors.Join(errs...)
}
