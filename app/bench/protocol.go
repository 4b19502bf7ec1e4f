//go:build linux

package main

// protocol is how clients speak to one kind of server, as far as a load generator needs it.
// Messages are recognised by their markers alone.
type protocol struct {
	request  func(client, room int) string           // returns the HTTP request that opens a connection, without its final blank line
	follow   func(rooms []int) [][]byte              // returns the frames that a client sends then
	joined   string                                  // occurs in a frame once per room whose follow it confirms
	unframed bool                                    // the response has no frames and no end
	refused  string                                  // occurs at the front of an error frame; empty: there are none
	message  func(room int, text, key string) string // returns what a sender sends; nil: the server makes the messages itself
}
