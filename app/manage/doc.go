// Package manage serves the routes for managing rooms and their members: JSON for programs, and a page with forms
// that work without scripts.
//
//	manage.Register(router, manage.Options{Chat: service, NewPage: newPage, Render: render, Charge: charge})
//
// The handlers only parse and encode. Package chat decides, by the rules of package streams, what a user may do.
package manage
