// Package limit bounds what one key (a user, or a client's address) may do in this process.
//
// A [Rate] bounds how often: a token bucket per key. A [Quota] bounds how much at once: open
// connections, bytes waiting to be read. Both forget keys that are idle. [Listener] applies a Quota
// to connections, and a [Memo] bounds how often an expensive call is made.
//
// Nothing here needs a goroutine, and everything may be used from many goroutines at once.
package limit
