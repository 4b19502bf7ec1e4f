package previews_test

import (
	"fmt"
	"net/url"
	"time"

	"burble/app/previews"
)

func Example() {
	address, _ := url.Parse("https://example.org/launch")
	page := `<title>Launch day</title><meta name="description" content="All about it"><meta property="og:image" content="/rocket.png">`
	card, picture, ok := previews.Parse([]byte(page), "text/html; charset=utf-8", address)
	card.URL = address.String()
	fmt.Println(card.Title, "|", card.Description, "|", picture, ok)

	tokens := previews.NewTokens([]byte("a secret that all servers share!"))
	token := tokens.Sign(card, "ada", "lobby", time.Now())
	_, err := tokens.Verify(token, "eve", "lobby", time.Now())
	fmt.Println(err)
	// Output:
	// Launch day | All about it | https://example.org/rocket.png true
	// preview token is not valid
}
