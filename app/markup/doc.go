// Package markup renders the text of messages as HTML that is safe to put into a page.
//
// A message is Markdown as people use it in chats: no HTML (a "<" is shown as "<"), no
// headings, line breaks kept, images shown as links, code blocks highlighted. [HTML]
// renders an entry, and every surface uses it, so pages and live reads show the same.
// [Text] turns rendered HTML back into plain text.
//
// Rendering is bounded: highlighting code has a time limit for each message, and the output is
// sanitised after rendering, so a bug in a library cannot add a script to a page.
//
// All functions may be called from many goroutines at once.
package markup
