//go:build linux

package main

import (
	"fmt"
	"strings"
)

// protocol is how clients speak to one kind of server, as far as a load generator needs it.
// Messages are recognised by their markers alone.
type protocol struct {
	request  func(client, room int) string           // returns the HTTP request that opens a connection, without its final blank line
	follow   func(rooms []int) [][]byte              // returns the frames that a client sends then
	joined   string                                  // occurs in a frame once per room whose follow it confirms
	unframed bool                                    // the response has no frames and no end
	refused  string                                  // occurs at the front of an error frame; empty: there are none
	message  func(room int, text, key string) string // returns what a sender sends; nil: the server makes the messages itself
}

// upgradeRequest returns the request for a WebSocket, RFC 6455 section 4.1.
func upgradeRequest(path string, headers ...string) string {
	lines := append([]string{
		"GET " + path + " HTTP/1.1", "Host: localhost", "Connection: Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
	}, headers...)
	return strings.Join(lines, "\r\n")
}

// upgradeResponse is the response to upgradeRequest, RFC 6455 section 4.2.2.
const upgradeResponse = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"

const roomPrefix = "bench-"

func roomName(room int) string { return fmt.Sprintf("%s%d", roomPrefix, room) }
