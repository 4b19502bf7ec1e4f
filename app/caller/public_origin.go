package caller

import (
	"strings"

	"burble/app/peer"

	"github.com/gofiber/fiber/v2"
)

// PublicOrigin returns this server's origin for use in links. origins are the other origins of the server. The request's
// Origin header must have been checked. That header is correct even behind a proxy that changes Host.
func PublicOrigin(c *fiber.Ctx, origins []string) string {
	if origin, ok := peer.CanonicalOrigin(c.Get(fiber.HeaderOrigin)); ok {
		return origin
	}
	own := Of(c).Origin
	_, host, _ := strings.Cut(own, "://")
	for _, origin := range origins {
		if _, other, _ := strings.Cut(origin, "://"); other == host {
			return origin
		}
	}
	return own
}
