package views

// Card describes a page to which a message links.
type Card struct {
	URL, Host          string
	Site               string // what the page calls its site; may be empty
	Title, Description string // Description may be empty
	Picture            *CardPicture
}

// CardPicture is the picture of a Card.
type CardPicture struct {
	URL           string
	Width, Height int    // in pixels
	Color         string // average color, such as "#0b6b6b"; may be empty
}

// BlankCard returns a card with all parts, whose markup the script clones, or nil if the page needs none.
func (r Room) BlankCard() *Card {
	if r.Previews == "" && !r.HasExtras() {
		return nil
	}
	return &Card{URL: "/", Host: "host", Title: "title", Description: "description", Picture: &CardPicture{URL: "/", Width: 1, Height: 1}}
}
