//go:build linux

package main

import (
	"fmt"
	"strings"
)

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
