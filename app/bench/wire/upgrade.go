package wire

import (
	"fmt"
	"strings"
)

// UpgradeRequest returns the request that opens a WebSocket, RFC 6455 section 4.1.
func UpgradeRequest(path string, headers ...string) string {
	lines := append([]string{
		"GET " + path + " HTTP/1.1", "Host: localhost", "Connection: Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
	}, headers...)
	return strings.Join(lines, "\r\n")
}

// UpgradeResponse is the response to UpgradeRequest, RFC 6455 section 4.2.2.
const UpgradeResponse = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"

// RoomPrefix is the prefix of every room's name.
const RoomPrefix = "bench-"

// RoomName returns the name of a room. Rooms are numbered from 0.
func RoomName(room int) string { return fmt.Sprintf("%s%d", RoomPrefix, room) }
