// Package pages serves the home page and the pages of rooms, which work without scripts. It also provides the
// fields and the rendering that all pages share.
//
//	p := pages.New(pages.Options{Chat: service, Callers: callers, Limits: limits})
//	p.Register(router)
//	model := views.Error{Page: p.NewPage(c, "Not found")}
//
// All methods are safe for concurrent use.
package pages
