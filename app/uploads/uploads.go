package uploads

import (
	"bytes"

	"burble/app/attachments"
	"burble/app/caller"
	"burble/app/chat"
	"burble/app/limit"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

const (
	// MaxUploads limits the uploads in progress from an address, and MaxAllUploads those from all addresses together.
	// Each upload takes about 100 KB of memory, and disk space for a temporary copy of its file, or for two copies with S3.
	MaxUploads, MaxAllUploads = 8, 64
	// MaxDownloads limits the downloads in progress to an address. It does not apply to files in S3, because
	// clients download those from S3 itself.
	MaxDownloads = 64
)

// Options configure the routes.
type Options struct {
	Chat    *chat.Service
	Files   *attachments.Service
	Callers *caller.Identifier
}

type handlers struct {
	Options
	uploading, allUploading, downloading *limit.Quota
}

// Register adds the routes.
func Register(router fiber.Router, options Options) {
	h := &handlers{options, limit.NewQuota(MaxUploads), limit.NewQuota(MaxAllUploads), limit.NewQuota(MaxDownloads)}
	router.Post("/r/:room/files", h.postFile)
	router.Get("/f/:room/:message/preview", h.getPreview)
	router.Get("/f/:room/:message/:n", h.getFile)
	router.Get("/f/:room/:message/:n/thumbnail", h.getThumbnail)
}

// IsUpload reports whether a request with this header is an upload.
func IsUpload(header *fasthttp.RequestHeader) bool {
	path, _, _ := bytes.Cut(header.RequestURI(), []byte("?"))
	room, isRoom := bytes.CutPrefix(path, []byte("/r/"))
	room, isFiles := bytes.CutSuffix(room, []byte("/files"))
	return header.IsPost() && isRoom && isFiles && bytes.IndexByte(room, '/') < 0
}
