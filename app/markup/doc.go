// Package markup renders the text of messages as HTML that is safe to embed in a page.
//
//	html := markup.HTML(&streams.Entry{Kind: streams.Message, Text: "*Hello*"}) // <p><em>Hello</em></p>
//
// Messages are Markdown as people use it in chats: HTML is shown as text, there are no headings, line
// breaks are kept, images become links, and code blocks are highlighted. A table in PROTOCOL.md has the
// rules that differ from CommonMark. [HTML] renders an entry. Pages and live reads both use it, so a message
// looks the same in both. [Text] converts rendered HTML back to plain text.
//
// Highlighting has a time limit per message. The output is sanitized after rendering, so that a bug in
// a library cannot add a script to a page.
//
// All functions are safe for concurrent use.
package markup
