// Package previews makes link previews. A card shows the title, description and picture of a page that a message
// links to.
//
//	p := previews.New(previews.Options{Log: log, Client: client, Secret: secret, Rooms: rooms})
//	card, picture, token, err := p.Make(ctx, user, address, "lobby", "https://example.org/")
//	err = p.Attach(&entry, user, "lobby", token) // with the message that has the link
//
// While the author writes, the browser requests a card with POST /r/{room}/previews. The server fetches the page
// ([Previews.Make]) and returns the card with a token from [Tokens.Sign]. The browser sends the token with the message,
// and [Previews.Attach] makes the card part of it. So nobody can forge a card, and the server stores nothing between the
// two requests.
//
// A page chooses its title, its description and even the name of its site. Show them as plain text, and always together
// with the host of the URL.
//
// All functions are safe for concurrent use.
package previews
