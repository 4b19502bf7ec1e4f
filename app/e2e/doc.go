// Package e2e contains end-to-end tests. They start Burble as a process, use it over the protocol,
// and kill it, its connections or its Redis. They share no code with the server.
//
// Tests with Cost in their name measure memory or time. The race detector distorts these, so the tests
// exist only without it. The job cost of .ci/run runs them.
package e2e
