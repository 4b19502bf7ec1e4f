package main

import (
	"log/slog"
	"net/netip"
	"os"

	"burble/app/chat"
	"burble/app/fetch"
	"burble/app/previews"
)

// exemptVariable names an environment variable with an address of the loopback interface that link previews may reach.
// Tests set it with go build -ldflags "-X main.exemptVariable=…". In other builds there is no such variable.
var exemptVariable string

// newPreviews returns nil if link previews are off.
func newPreviews(config Config, secret []byte, rooms *chat.Service, log *slog.Logger) *previews.Previews {
	if config.Previews == previewsOff {
		return nil
	}
	var guard fetch.Guard
	if exemptVariable != "" {
		guard.Exempt, _ = netip.ParseAddrPort(os.Getenv(exemptVariable))
	}
	return previews.New(previews.Options{
		Log: log, Secret: secret, Rooms: rooms,
		Client: fetch.New(fetch.Options{UserAgent: "Burble (link preview)", Guard: guard}),
	})
}
