// Package peers contains simple chat servers that Burble is compared with:
//
//   - floor is the lower bound, a loop that generates messages and writes each one to every
//     connection;
//   - hub is the chat server from many tutorials, with a map of clients and one goroutine that
//     writes to all of them;
//   - xread is a naive version of Burble, with one blocking XREAD per connection.
//
// Each runs as a separate process, so that its CPU and memory can be measured. [Serve] is the main
// function of that process.
package peers
