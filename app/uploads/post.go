package uploads

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"time"

	"burble/app/attachments"
	"burble/app/caller"
	"burble/app/httpguard"
	"burble/app/protocol"
	"burble/app/request"

	"github.com/gofiber/fiber/v2"
)

// retryAfter is how long a client with too many uploads or downloads in progress should wait before it retries.
const retryAfter = 5 * time.Second

// uploadResponse is the response to an upload.
type uploadResponse struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Type   string `json:"type"`
	Size   int64  `json:"size"`
	Width  int    `json:"width,omitempty"`
	Height int    `json:"height,omitempty"`
	Color  string `json:"color,omitempty"`
}

// postFile handles POST /r/{room}/files, whose body is a file.
func (h *handlers) postFile(c *fiber.Ctx) error {
	room, err := protocol.CheckRoom(c.Params("room"))
	if err != nil {
		return err
	}
	if err := request.CheckQuery(c, "name"); err != nil {
		return err
	}
	body, err := readBody(c)
	if err != nil {
		return err
	}
	from := caller.Of(c)
	release, err := h.begin(from.Address)
	if err != nil {
		return err
	}
	defer release()
	if err := h.Chat.CheckUpload(c.UserContext(), from.User, from.Address, room); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(c.UserContext())
	defer cancel(nil)
	defer h.Callers.Subscribe(ctx, from, &upload{body, cancel}).End()
	file, err := h.Files.Upload(ctx, attachments.Upload{
		User: from.User, Address: from.Address, Room: room, Name: c.Query("name"), Size: body.Size, Body: body,
	})
	if errors.Is(context.Cause(ctx), errSignedOut) && err != nil {
		return errSignedOut
	}
	if err != nil {
		return attachments.AsError(err)
	}
	c.Status(http.StatusCreated)
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.JSON(uploadResponse{file.ID, file.Name, file.Type, file.Size, file.Width, file.Height, file.Color})
}

// readBody returns the body, or an error if the request's header is not valid for an upload.
func readBody(c *fiber.Ctx) (*httpguard.Body, error) {
	conn, ok := c.Context().Conn().(*httpguard.Conn)
	if !ok {
		return nil, fiber.ErrNotFound
	}
	body, refusal := conn.ReadBody(&c.Request().Header)
	switch {
	case refusal != nil:
		return nil, &protocol.Error{Code: protocol.BadFrame, Status: refusal.Status, Message: refusal.Message}
	case body == nil: // the router matched the path, but IsUpload did not
		return nil, fiber.ErrNotFound
	case len(c.Request().Header.PeekAll(fiber.HeaderContentEncoding)) > 0:
		return nil, unsupported(fiber.HeaderContentEncoding)
	}
	if contentType, _, _ := mime.ParseMediaType(c.Get(fiber.HeaderContentType)); contentType == fiber.MIMEMultipartForm {
		return nil, unsupported(fiber.HeaderContentType)
	}
	return body, nil
}

func unsupported(header string) error {
	return &protocol.Error{
		Code: protocol.BadField, Status: http.StatusUnsupportedMediaType, Field: header,
		Message: "This " + header + " is not supported. The body must be the file itself.",
	}
}

// begin counts an upload as in progress until release is called.
func (h *handlers) begin(address string) (release func(), err error) {
	releaseOwn, ok := h.uploading.Take(address, 1)
	if !ok {
		return nil, protocol.TooMany("uploads at once", retryAfter)
	}
	releaseAll, ok := h.allUploading.Take("", 1)
	if !ok {
		releaseOwn()
		return nil, protocol.TooMany("uploads at once", retryAfter)
	}
	return func() { releaseOwn(); releaseAll() }, nil
}

// upload is an upload in progress. It implements caller.Connection.
type upload struct {
	body   *httpguard.Body
	cancel context.CancelCauseFunc
}

var errSignedOut = &protocol.Error{Code: protocol.NotAllowed, Field: "authorization", Message: "The session has ended. Sign in again.", Title: "You are signed out"}

// SignOut cancels the upload.
func (u *upload) SignOut() {
	u.cancel(errSignedOut)
	u.body.Cancel()
}

// Reconnect does nothing. An upload may continue after the user's name or role has changed, because package chat checks
// the user's rights when a message with the file is sent.
func (u *upload) Reconnect() {}
