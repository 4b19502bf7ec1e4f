package views

// Card describes a page that a message links to.
type Card struct {
	URL, Host          string
	Site               string // the name that the page gives its site; may be empty
	Title, Description string // Description may be empty
	Picture            *CardPicture
}

// CardPicture is the picture of a Card.
type CardPicture struct {
	URL           string
	Width, Height int    // in pixels
	Color         string // average color, such as "#0b6b6b"; may be empty
}

// BlankCard returns a card with all its parts, or nil if the page needs none. The page's script clones its markup.
func (r Room) BlankCard() *Card {
	if r.Previews == "" && !r.HasFilesOrCards() {
		return nil
	}
	return &Card{URL: "/", Host: "host", Title: "title", Description: "description", Picture: &CardPicture{URL: "/", Width: 1, Height: 1}}
}
