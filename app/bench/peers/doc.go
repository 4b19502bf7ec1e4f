// Package peers has simple chat servers with which Burble is compared:
//
//   - floor is the lower bound: a loop makes the messages and writes each to every connection;
//   - hub is the chat server of the tutorials: a map of clients, and one goroutine that
//     writes to all of them;
//   - xread is the naive form of Burble's own idea: a blocked XREAD per connection.
//
// Each runs as a process of its own, so that its CPU and memory can be measured: [Serve] is
// the main function of that process.
package peers
