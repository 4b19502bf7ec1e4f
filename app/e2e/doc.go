// Package e2e holds end-to-end tests: they start Burble as a process, use it over the
// protocol and kill it, its connections or its Redis. They share no code with the server.
//
// Tests with Cost in their name also measure memory or Redis commands, which the race
// detector distorts; .ci/run repeats them without it.
package e2e
