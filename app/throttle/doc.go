// Package throttle limits what clients cost, for each address and for all addresses together.
//
// The unit is a request. Expensive work counts as several requests, by the entries that Redis reads, the
// rooms in a list, and the time to render messages as HTML. An address that has used up its requests is
// refused until its rate allows more. Memory is reserved before it is used, and responses count until
// the client has read them.
//
// A Limits is safe for concurrent use.
package throttle
