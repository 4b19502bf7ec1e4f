package request

import (
	"slices"
	"strings"

	"burble/app/protocol"
	"burble/streams"

	"github.com/gofiber/fiber/v2"
)

// PageQuery returns which page of history a request asks for. The page has at most defaultLimit messages unless the
// request has the parameter limit.
func PageQuery(c *fiber.Ctx, defaultLimit int) (query streams.PageQuery, err error) {
	if query.Limit, err = Int(c, "limit", defaultLimit, 1, protocol.MaxLast); err != nil {
		return query, err
	}
	var parameters []string
	for name, id := range map[string]*streams.ID{
		"before": &query.Before, "after": &query.After, "around": &query.Around,
	} {
		text := c.Query(name)
		if text == "" {
			continue
		}
		parameters = append(parameters, name)
		cursor, err := protocol.CheckCursor(name, text)
		if err != nil {
			return query, err
		}
		*id = cursor.ID
	}
	if text := c.Query("at"); text != "" {
		parameters = append(parameters, "at")
		if query.At, err = protocol.CheckTime("at", text); err != nil {
			return query, err
		}
	}
	if len(parameters) > 1 {
		slices.Sort(parameters)
		return query, protocol.Errorf(protocol.BadField, parameters[1], "Use only one of before, after, around and at, not %s.", strings.Join(parameters, " and "))
	}
	if query.Before.IsZero() && c.Query("before") != "" {
		return query, protocol.Errorf(protocol.BadField, "before", "Nothing comes before 0-0.")
	}
	if query.After.IsZero() && c.Query("after") != "" || query.Around.IsZero() && c.Query("around") != "" {
		query.Around = streams.ID{Seq: 1} // the beginning of the room; a zero PageQuery means the newest page
	}
	return query, nil
}
