package people

import (
	"burble/app/caller"
	"burble/app/negotiate"
	"burble/app/plaintext"
	"burble/app/protocol"
	"burble/app/request"
	"burble/streams"
	"burble/views"

	"github.com/gofiber/fiber/v2"
)

// auditPage is the number of entries on a page of the audit log.
const auditPage = 100

// getAudit handles GET /audit?before=…, a page of the audit log. The live read is GET /audit/events.
func (h *handlers) getAudit(c *fiber.Ctx) error {
	if err := request.CheckQuery(c, "before"); err != nil {
		return err
	}
	var before streams.ID
	if text := c.Query("before"); text != "" {
		var err error
		if before, err = protocol.CheckID("before", text); err != nil {
			return err
		}
	}
	entries, err := h.Chat.AuditLog(c.UserContext(), caller.Of(c).User, before, auditPage)
	if err != nil {
		return err
	}
	if !negotiate.PrefersHTML(c) {
		body := []byte("[")
		for i := range entries {
			if i > 0 {
				body = append(body, ',')
			}
			body = protocol.AppendEntry(body, streams.AuditRoom, &entries[i], false)
		}
		c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSONCharsetUTF8)
		return c.Send(append(body, ']'))
	}
	model := views.Audit{Page: h.NewPage(c, "Audit")}
	for i := range entries {
		entry := &entries[i]
		model.Entries = append(model.Entries, views.AuditRow{User: views.User(entry.User), Text: plaintext.Audit(entry), Time: entry.ID.Time()})
	}
	if len(entries) == auditPage {
		model.Older = entries[len(entries)-1].ID.String()
	}
	return c.Render("audit", model)
}
