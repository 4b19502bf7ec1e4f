package previews

import (
	"errors"
	"time"

	"burble/app/identity"
	"burble/app/protocol"
	"burble/streams"
)

// Attach sets the preview of a message to the card in a token that Make returned to the user for the room. It does
// nothing if the token is empty. If p is nil, it refuses all other tokens. Package chat checks that the message links to
// the page.
func (p *Previews) Attach(entry *streams.Entry, user identity.User, room, token string) error {
	switch {
	case token == "":
		return nil
	case p == nil:
		return refusal("Link previews are off.")
	}
	card, err := p.tokens.Verify(token, user.ID, room, time.Now())
	if errors.Is(err, ErrTokenExpired) {
		return refusal("This preview has expired. Request a new one, or send the message without it.")
	}
	if err != nil {
		return refusal("This preview is for another user or room. Request a new one, or send the message without it.")
	}
	entry.Preview = &streams.Preview{URL: card.URL, Title: card.Title, Description: card.Description, Site: card.Site}
	if card.Picture != nil {
		entry.Preview.File = &streams.File{ID: card.Picture.File}
	}
	return nil
}

func refusal(message string) error {
	return protocol.Errorf(protocol.BadField, "preview", "%s", message)
}
