// Package pages serves the home page and the pages of rooms, without which a browser could do nothing, and
// which work without scripts. It also gives other packages what all pages have in common.
//
//	p := pages.New(pages.Options{Chat: service, Callers: callers, Limits: limits})
//	p.Register(router)
//	model := views.Error{Page: p.NewPage(c, "Not found")}
//
// All methods are safe for concurrent use.
package pages
