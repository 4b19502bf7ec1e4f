// Package fetch fetches URLs that strangers choose, such as those of pages that messages link to.
//
// A stranger could choose an address inside the server's own network. Therefore every connection is checked when it is
// dialed, after the name was resolved: it must be to a public address, on port 80 or 443. This also applies to each
// redirect, and to names that resolve to a different address each time.
//
//	client := fetch.New(fetch.Options{UserAgent: "Burble (link preview)"})
//	page, err := client.Page(ctx, "https://example.org/") // page.Body has its first 512 KiB
//
// A [Client] sends no cookies, no credentials and no Referer, ignores proxies from the environment, and bounds time,
// size, redirects and the number of concurrent requests. Its connections come from [NewTransport], which other HTTP
// clients can use too.
//
// All methods are safe for concurrent use.
package fetch
