// Package filetype determines the type of an uploaded file, a safe name for it, and how a browser may show it.
//
//   - [Sniff] determines the media type from the first bytes. It ignores the name and the type that the client sent.
//   - [CleanName] makes a name safe to show, and to save on any system.
//   - [IsInline] lists what a browser may show. Everything else is an attachment: [Served] and [Disposition]
//     return the headers.
//
// All functions are safe for concurrent use.
package filetype
