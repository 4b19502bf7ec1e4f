// Package fetch reads addresses that strangers choose, such as the pages that messages link to.
//
// A stranger could choose an address inside the server's own network. Therefore every connection is checked when it
// is dialled, after names were resolved: only addresses of the public internet are reached, on ports 80 and 443. This
// holds for each redirect, and for names that resolve to another address each time.
//
// A [Client] sends no cookies, no credentials and no Referer, ignores proxies from the environment, and bounds time,
// size, redirects and the number of concurrent requests. [NewTransport] is for requests of other kinds, such as push
// notifications.
//
// All methods are safe for concurrent use.
package fetch
