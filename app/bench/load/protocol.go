//go:build linux

package load

// Protocol is the part of a server's protocol that a load generator needs. Receivers recognize
// messages only by their markers.
type Protocol struct {
	Request    func(client, room int) string           // returns the HTTP request that opens a connection, without its final blank line
	Follow     func(rooms []int) [][]byte              // returns the frames that a client sends after the upgrade
	JoinedText string                                  // text that a frame contains once for each follow that it confirms
	Unframed   bool                                    // the response is an endless body without frames
	ErrorText  string                                  // text near the start of an error frame; empty if there are no error frames
	Message    func(room int, text, key string) string // returns the frame that sends a message; nil if the server generates the messages
}
