package request

import (
	"slices"
	"strings"

	"burble/app/protocol"
	"burble/streams"

	"github.com/gofiber/fiber/v2"
)

// Where returns which page of history a request asks for. The page has at most defaultLimit messages unless the
// request has the parameter limit.
func Where(c *fiber.Ctx, defaultLimit int) (where streams.Where, err error) {
	if where.Limit, err = Int(c, "limit", defaultLimit, 1, protocol.MaxLast); err != nil {
		return where, err
	}
	var parameters []string
	for name, id := range map[string]*streams.ID{
		"before": &where.Before, "after": &where.After, "around": &where.Around,
	} {
		text := c.Query(name)
		if text == "" {
			continue
		}
		parameters = append(parameters, name)
		cursor, err := protocol.CheckCursor(name, text)
		if err != nil {
			return where, err
		}
		*id = cursor.ID
	}
	if text := c.Query("at"); text != "" {
		parameters = append(parameters, "at")
		if where.At, err = protocol.CheckTime("at", text); err != nil {
			return where, err
		}
	}
	if len(parameters) > 1 {
		slices.Sort(parameters)
		return where, protocol.Errorf(protocol.BadField, parameters[1], "Use only one of before, after, around and at, not %s.", strings.Join(parameters, " and "))
	}
	if where.Before.IsZero() && c.Query("before") != "" {
		return where, protocol.Errorf(protocol.BadField, "before", "Nothing comes before 0-0.")
	}
	if where.After.IsZero() && c.Query("after") != "" || where.Around.IsZero() && c.Query("around") != "" {
		where.Around = streams.ID{Seq: 1} // the beginning of the room; a zero Where means the newest page
	}
	return where, nil
}
