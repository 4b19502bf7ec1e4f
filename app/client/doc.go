// Package client speaks the protocol burble.v1, which app/PROTOCOL.md describes, to
// Burble servers. Bots, tests and the chaos harness share it, and it imports nothing of
// the server.
//
// A [Server] is the address of a server and the token of a user. Its methods are the
// protocol's HTTP surface: they sign in, post, and read pages of history. Dial opens a
// WebSocket, and Live reads a room over HTTP.
//
// A [Socket] is one WebSocket. Next returns the server's frames as typed values, and
// Send writes a request such as [Follow] or [Message]. Read, WriteMessage, WriteRaw and
// NetConn are the raw connection below it, for tests that send what no good client sends.
//
// A [Chain] checks the promise of the protocol: each batch of a room begins where the one
// before it ended. A client whose chain is whole has every entry.
//
// A [Bot] keeps a socket open to any of several servers. It reconnects with jitter,
// resumes each room at its last cursor, and repeats a send under its key until the outcome
// is known. Most programs need only a Bot; see its example.
//
// A Socket has one reading goroutine; any goroutine may write. A Server may be used by
// several goroutines as long as none of them changes its fields.
package client
