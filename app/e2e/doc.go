// Package e2e contains end-to-end tests. They start Burble as a process, use it over the protocol,
// and kill it, its connections or its Redis. They share no code with the server.
//
// Tests with Cost in their name also measure memory or Redis commands. The race detector distorts
// these, so .ci/run repeats the tests without it.
package e2e
