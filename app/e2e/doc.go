// Package e2e contains end-to-end tests. They start Burble as a process, use it over the protocol,
// and kill it, its connections or its Redis. They share no code with the server, except that some of them prepare
// accounts in Redis, or read the store for files.
//
// Tests with Cost in their name measure memory or time. The race detector distorts these, so the tests
// exist only without it. They run with .ci/run cost.
package e2e
