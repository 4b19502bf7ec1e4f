//go:build linux

package load

// Protocol is how clients speak to one kind of server, as far as a load generator needs it.
// Messages are recognised by their markers alone.
type Protocol struct {
	Request  func(client, room int) string           // returns the HTTP request that opens a connection, without its final blank line
	Follow   func(rooms []int) [][]byte              // returns the frames that a client sends then
	Joined   string                                  // occurs in a frame once per room whose follow it confirms
	Unframed bool                                    // the response has no frames and no end
	Refused  string                                  // occurs at the front of an error frame; empty: there are none
	Message  func(room int, text, key string) string // returns what a sender sends; nil: the server makes the messages itself
}
