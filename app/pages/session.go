package pages

import (
	"net/http"
	"net/url"
	"regexp"

	"burble/app/caller"
	"burble/app/identity"
	"burble/app/peer"
	"burble/app/protocol"
	"burble/app/request"
	"burble/streams"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// postSession handles POST /session, which creates a guest, or renames the caller.
func (p *Pages) postSession(c *fiber.Ctx) error {
	known := caller.Of(c)
	if err := request.CheckQuery(c); err != nil {
		return err
	}
	body, err := request.ParseBody(c, "name", "next")
	if err != nil {
		return err
	}
	user, err := identity.NewUser(body.Fields["name"])
	if err != nil {
		return protocol.Errorf(protocol.BadField, "name", "%s", protocol.Sentence(err))
	}
	if !known.User.IsZero() {
		user.ID = known.User.ID
	}
	token := ""
	switch {
	case known.Session != nil:
		token, err = p.options.Callers.Rename(c.UserContext(), *known.Session, user.Name)
	case p.options.Mode != streams.Anyone:
		err = streams.ErrSignIn
	default:
		token = p.options.Callers.SignGuest(c, user)
	}
	if err != nil {
		return err
	}
	if body.IsForm {
		return c.Redirect(withName(peer.LocalPath(body.Fields["next"]), user.Name), http.StatusSeeOther)
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.JSON(session{protocol.User{ID: user.ID, Name: user.Name}, token})
}

// session is the response to POST /session.
type session struct {
	User  protocol.User `json:"user"`
	Token string        `json:"token"`
}

// signedInAs is the query parameter with the user's name in the URL that a sign-in redirects to. The page
// at that URL reports that cookies are blocked if the browser has not sent the cookie. Pages of earlier
// releases ignore the parameter.
const signedInAs = "signed-in-as"

const cookiesBlocked = "Your browser is blocking cookies, so Burble can’t remember your name. " +
	"Allow cookies for this site in your browser’s settings, then try again."

// pagePath matches the paths of the home page, rooms and messages.
var pagePath = regexp.MustCompile(`^/(r/[a-z0-9][a-z0-9_-]{0,63}(/[0-9]+-[0-9]+)?)?$`)

// withName adds the parameter signedInAs to a local path if it leads to a page.
func withName(path, name string) string {
	target, err := url.Parse(path)
	if err != nil || !pagePath.MatchString(target.Path) {
		return path
	}
	if target.RawQuery != "" {
		target.RawQuery += "&"
	}
	target.RawQuery += signedInAs + "=" + url.QueryEscape(name)
	return target.String()
}

// finishSignIn is middleware that redirects to the page without the parameter signedInAs if the browser has
// sent the cookie.
func finishSignIn(c *fiber.Ctx) error {
	if caller.Of(c).User.IsZero() || !c.Context().QueryArgs().Has(signedInAs) {
		return c.Next()
	}
	var query fasthttp.Args
	c.Context().QueryArgs().CopyTo(&query)
	query.Del(signedInAs)
	target := peer.LocalPath(c.Path())
	if query.Len() > 0 {
		target += "?" + query.String()
	}
	return c.Redirect(target, http.StatusSeeOther)
}

// lostName returns the name of a user who has just signed in but whose browser did not keep the cookie, or "".
// It ignores links from other sites, because a user may share the URL of the page that reports blocked cookies.
func lostName(c *fiber.Ctx) string {
	if site := c.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" {
		return ""
	}
	user, err := identity.NewUser(c.Query(signedInAs))
	if err != nil {
		return ""
	}
	return user.Name
}
