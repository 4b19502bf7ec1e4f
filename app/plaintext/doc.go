// Package plaintext describes entries in words, for people who read a room in a terminal, and for pages.
//
//	line := plaintext.AppendEntry(nil, "lobby", &entry) // "09:41 Ada: hello\n"
//
// A line cannot control the terminal. All functions are safe for concurrent use.
package plaintext
