// Package limit bounds what one key (a user, or a client's address) may do in this process.
//
// A [Rate] bounds how often: a token bucket per key. A [Quota] bounds how much at once:
// open connections, bytes waiting to be read. Both forget keys that are idle, need no
// goroutine, and may be used from many goroutines at once.
package limit
