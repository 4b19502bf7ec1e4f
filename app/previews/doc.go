// Package previews makes the cards that stand for pages which messages link to.
//
// While an author writes, the author's page requests a card with POST /r/{room}/previews. The server fetches the page
// ([Previews.Make]) and returns the card with a token from [Tokens.Sign]. The author's page sends the token with the
// message, and [Previews.Attach] makes the card part of it. Therefore nobody can send a card that says what a page does
// not, and nothing must be kept between the two requests.
//
// A page chooses its title, its text and even the name of its site. Show them as text, and always together with the
// host of the URL.
//
// All functions are safe for concurrent use.
package previews
