// Package fetch fetches URLs that strangers choose, such as those of pages that messages link to.
//
// A stranger could choose an address inside the server's own network. Therefore every connection is checked when it is
// dialled, after the name was resolved: it must be to a public address, on port 80 or 443. This also applies to each
// redirect, and to names that resolve to a different address each time.
//
// A [Client] sends no cookies, no credentials and no Referer, ignores proxies from the environment, and bounds time,
// size, redirects and the number of concurrent requests. [NewTransport] is for requests of other kinds, such as push
// notifications.
//
// All methods are safe for concurrent use.
package fetch
