// Package filetype determines the type of an uploaded file, a safe name for it, and how a browser may show it.
//
//	mediaType := filetype.Sniff(head)                 // such as "image/png"
//	name := filetype.CleanName("../photo", mediaType) // "photo.png"
//	disposition := filetype.Disposition(mediaType, name)
//
// It trusts neither the name nor the type that the client sent:
//
//   - [Sniff] determines the media type from the first bytes.
//   - [CleanName] makes a name safe to show, and to save on any system.
//   - [IsInline] lists what a browser may show. Everything else is an attachment: [Served] and [Disposition]
//     return the headers.
//
// All functions are safe for concurrent use.
package filetype
