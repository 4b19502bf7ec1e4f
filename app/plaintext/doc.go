// Package plaintext formats entries as plain text, for users who read a room in a terminal, and for pages.
//
//	line := plaintext.AppendEntry(nil, "lobby", &entry) // "09:41 Ada: hello\n"
//
// A line cannot control the terminal. All functions are safe for concurrent use.
package plaintext
