// Package throttle bounds what clients cost: each address on its own, and all of them together.
//
// The unit is a request. What costs more than an ordinary request counts as several: entries that
// Redis reads, rooms in a list, the time to render messages as HTML. An address that has used up its
// requests is refused until its rate has paid for them. Memory is reserved before it is used, and
// responses that a client does not read count until it has read them.
//
// A Limits may be used by many goroutines at once.
package throttle
