// Package filetype decides what a file that a stranger has uploaded is, what it is called, and how a browser
// may show it.
//
//   - [Sniff] determines the media type from the first bytes. The name and the type that the client sent do not count.
//   - [CleanName] makes a name safe to show, and to save on any system.
//   - [IsInline] lists what a browser may show. Everything else is an attachment: [Served] and [Disposition]
//     return the headers.
//
// All functions are safe for concurrent use.
package filetype
