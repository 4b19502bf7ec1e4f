// Package previews makes the cards that stand for pages which messages link to.
//
// While an author writes, the server fetches the page and calls [Parse]. The author's page gets the card with a token
// from [Tokens.Sign], and sends the token with the message. [Tokens.Verify] then returns the card that the server
// made. Therefore nobody can send a card that says what a page does not, and nothing must be kept between the two
// requests.
//
// A page chooses its title, its text and even the name of its site. Show them as text, and always together with the
// host of the URL.
//
// All functions are safe for concurrent use.
package previews
