// Package client is a client of the protocol burble.v1, which app/PROTOCOL.md describes. Bots, tests
// and the chaos harness share it. It imports no package of the server.
//
//	server := &client.Server{URL: "http://localhost:8080"}
//	user, err := server.SignIn(ctx, "Greeter")
//	stored, err := server.Post(ctx, client.Message{Room: "lobby", Key: client.NewKey(), Text: "Hello"})
//
// A [Server] is the address of a server and the token of a user. Its methods make HTTP requests: they
// sign in, post, and read pages of history. Dial opens a WebSocket, and Live reads a room over HTTP.
//
// A [Socket] is one WebSocket. Next returns the server's frames as typed values, and Send writes a
// request such as [Follow] or [Message]. Read, WriteMessage, WriteRaw and NetConn give access to the
// raw connection, for tests that send what no correct client would.
//
// A [Chain] checks what the protocol guarantees: each batch of a room begins where the one before it
// ended. If no Check returns an error, the client has received every entry.
//
// A [Bot] stays connected to one of several servers. It reconnects with jitter, resumes each room at
// its last cursor, and repeats a send with the same key until the outcome is known. Most programs need
// only a Bot; see the package example.
//
// Only one goroutine may read from a Socket, but any goroutine may write to it. Several goroutines
// may use a Server as long as none of them changes its fields.
package client
