package web

import (
	"io"
	"net/http/httptest"
	"testing"

	"burble/app/caller"
	"burble/app/peer"

	"github.com/gofiber/fiber/v2"
)

func TestLastHeaderReturnsTheLastOfARepeatedHeader(t *testing.T) {
	t.Parallel()
	app := fiber.New()
	app.Get("/", func(c *fiber.Ctx) error {
		return c.SendString(peer.Address(caller.LastHeader(c), "10.0.0.1:1", peer.ProxyHeroku) + caller.LastHeader(c)("X-None"))
	})
	request := httptest.NewRequest("GET", "/", nil)
	request.Header.Add("X-Forwarded-For", "6.6.6.6")
	request.Header.Add("x-forwarded-for", "7.7.7.7, 1.2.3.4")
	response, err := app.Test(request)
	if err != nil {
		t.Fatal(err)
	}
	if body, _ := io.ReadAll(response.Body); string(body) != "1.2.3.4" {
		t.Errorf("the address is %s, want 1.2.3.4", body)
	}
}
