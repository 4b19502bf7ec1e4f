package main

import (
	"bytes"
	"context"
	"log/slog"
	"net/netip"
	"os"

	"burble/app/attachments"
	"burble/app/chat"
	"burble/app/fetch"
	"burble/app/identity"
	"burble/app/pictures"
	"burble/app/previews"
)

// exemptVariable is the name of an environment variable whose value is an address. Link previews may reach that address
// even if it is a loopback address. Tests set exemptVariable with go build -ldflags "-X main.exemptVariable=…". In other
// builds, there is no such variable.
var exemptVariable string

// newPreviews returns nil if link previews are off. Without files, cards have no pictures.
func newPreviews(config Config, secret []byte, rooms *chat.Service, files *attachments.Service, processor *pictures.Processor, log *slog.Logger) *previews.Previews {
	if config.Previews == previewsOff {
		return nil
	}
	var guard fetch.Guard
	if exemptVariable != "" {
		guard.Exempt, _ = netip.ParseAddrPort(os.Getenv(exemptVariable))
	}
	options := previews.Options{
		Log: log, Secret: secret, Rooms: rooms, Decoder: processor,
		Client: fetch.New(fetch.Options{UserAgent: "Burble (link preview)", Guard: guard}),
	}
	if files != nil {
		options.Pictures = previewPictures{files}
	}
	return previews.New(options)
}

// previewPictures stores the pictures of cards like those that people upload.
type previewPictures struct{ files *attachments.Service }

// AddPicture implements previews.Pictures.
func (p previewPictures) AddPicture(ctx context.Context, user identity.User, address, room string, picture *previews.Image) (fileID string, err error) {
	file, err := p.files.Upload(ctx, attachments.Upload{
		User: user, Address: address, Room: room, Name: "preview",
		Size: int64(len(picture.Data)), Body: bytes.NewReader(picture.Data), PictureOnly: true,
	})
	return file.ID, err
}
