package negotiate

import (
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// Browsers get pages. Clients without a preference get JSON.
func TestPrefersHTML(t *testing.T) {
	t.Parallel()
	app := fiber.New()
	for header, want := range map[string]bool{
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": true, "Text/HTML": true, "text/html; charset=utf-8": true, "application/json;q=0.5, text/html": true,
		"": false, "*/*": false, "application/json": false, "application/json; charset=utf-8": false, "text/html;q=0.5, application/json": false, "image/png": false,
	} {
		c := app.AcquireCtx(new(fasthttp.RequestCtx))
		c.Request().Header.Set(fiber.HeaderAccept, header)
		if got := PrefersHTML(c); got != want {
			t.Errorf("with Accept %q: got %v, want %v", header, got, want)
		}
		app.ReleaseCtx(c)
	}
}

func TestAccepts(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{
		"gzip": true, "GZIP": true, "x-gzip": true, "deflate, gzip": true, "gzip;q=0.001": true, "gzip; q=1.0": true, "gzip ; Q=0.5": true,
		"*": true, "br;q=1, *;q=0.1": true, "gzip, *;q=0": true, "*;q=0, gzip": true, "identity;q=0, *": true,
		"": false, "identity": false, "br": false, "gzip;q=0": false, "gzip;q=0.000": false, "gzip; q=0, *": false, "*, gzip;q=0": false,
		"*;q=0": false, "gzipped": false, "gzip;q=x": false, "gzip;q=": false, "deflate;x=gzip": false, "x-gzip;q=0": false,
	} {
		if got := accepts(header, "gzip"); got != want {
			t.Errorf("accepts(%q, gzip) = %v, want %v", header, got, want)
		}
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{
		`W/"a1"`: true, `"a1"`: true, `"b", W/"a1"`: true, `*`: true, `"b","a1" ,"c"`: true,
		"": false, `"a"`: false, `"a12"`: false, `a1`: false, `W/"b"`: false, `w/"a1"`: false,
	} {
		if got := matches(header, `W/"a1"`); got != want {
			t.Errorf("matches(%q) = %v, want %v", header, got, want)
		}
	}
}
