package previews

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"burble/app/fetch"
	"burble/app/identity"
	"burble/app/pictures"
	"burble/app/protocol"

	"golang.org/x/sync/semaphore"
	"golang.org/x/sync/singleflight"
)

const (
	// maxFlights is the maximum number of pages that are being fetched, or delayed by failureTime, at the same time. The
	// fetch.Client sends fewer requests at once.
	maxFlights = 64
	// failureTime is the minimum duration of an attempt that fails. It equals the timeout for a server that does not
	// respond. Otherwise, the duration would reveal which addresses are refused, and which names resolve to them.
	failureTime = 3 * time.Second
)

// Rooms decides who may post in a room.
type Rooms interface {
	// CheckUpload counts a request against the limits of the user and the address. It returns an error if one of them
	// is exceeded, or if the user may not post in the room.
	CheckUpload(ctx context.Context, user identity.User, address, room string) error
}

// Pictures stores the pictures of cards.
type Pictures interface {
	// AddPicture stores a picture for a message of the user in the room, and returns the ID of the file.
	AddPicture(ctx context.Context, user identity.User, address, room string, picture *Image) (fileID string, err error)
}

// Options configure Previews.
type Options struct {
	Log      *slog.Logger
	Client   *fetch.Client
	Secret   []byte // shared by all servers
	Rooms    Rooms
	Pictures Pictures            // nil for cards without pictures
	Decoder  *pictures.Processor // of the process; nil for cards without pictures
}

// Previews makes the cards of a server, and verifies their tokens.
type Previews struct {
	Options
	tokens  *Tokens
	cache   cache
	flights singleflight.Group
	slots   *semaphore.Weighted
}

// New returns Previews.
func New(options Options) *Previews {
	return &Previews{Options: options, tokens: NewTokens(options.Secret), slots: semaphore.NewWeighted(maxFlights)}
}

// A page is the result of fetching a URL.
type page struct {
	card    Card // without a title if there is no card
	picture *Image
}

// Make returns a card for the page at the URL, and a token that lets the user attach it to a message in the room. The
// card has no title if the page has none or cannot be fetched. It does not reveal the reason.
func (p *Previews) Make(ctx context.Context, user identity.User, address, room, target string) (card Card, picture *Image, token string, err error) {
	if err := p.Rooms.CheckUpload(ctx, user, address, room); err != nil {
		return card, nil, "", fmt.Errorf("check the right to post: %w", err)
	}
	found, err := p.find(room, target)
	if err != nil || found.card.Title == "" {
		return card, nil, "", err
	}
	card = found.card
	if found.picture != nil && p.Pictures != nil {
		file, err := p.Pictures.AddPicture(ctx, user, address, room, found.picture)
		if err == nil {
			picture, card.Picture = found.picture, found.picture.describe(file)
		} else {
			p.Log.Debug("cannot store the picture of a link preview", "error", err)
		}
	}
	return card, picture, p.tokens.Sign(card, user.ID, room, time.Now()), nil
}

// find returns the page at the URL. Requests for the same room within cacheTime share one fetch. Rooms do not share
// fetches: a fast response would reveal that someone has linked to the page in a room that the user may not see.
func (p *Previews) find(room, target string) (page, error) {
	key := room + " " + target
	if found, known := p.cache.find(key, time.Now()); known {
		return found, nil
	}
	result, err, _ := p.flights.Do(key, func() (any, error) {
		if !p.slots.TryAcquire(1) {
			return page{}, protocol.TooMany("link previews at once", time.Second)
		}
		defer p.slots.Release(1)
		found := p.fetch(target)
		p.cache.add(key, found, time.Now())
		return found, nil
	})
	return result.(page), err
}

// fetch returns the page at the URL, without a title if that fails. It takes no context, because several requests may
// wait for the result.
func (p *Previews) fetch(target string) page {
	ctx, failureDelay := context.Background(), time.After(failureTime)
	response, err := p.Client.Page(ctx, target)
	if err != nil {
		p.Log.Debug("cannot fetch the page of a link preview", "error", cause(err))
		<-failureDelay
		return page{}
	}
	card, pictureURL, ok := Parse(response.Body, response.ContentType, response.URL)
	if !ok {
		<-failureDelay
		return page{}
	}
	card.URL = target
	found := page{card: card}
	if pictureURL == "" || p.Pictures == nil || p.Decoder == nil {
		return found
	}
	failureDelay = time.After(failureTime) // the page chooses the URL of its picture
	if found.picture, err = p.fetchPicture(ctx, pictureURL); err != nil {
		p.Log.Debug("cannot fetch the picture of a link preview", "error", cause(err))
		<-failureDelay
	}
	return found
}

// cause returns an error for the log that contains no addresses.
func cause(err error) error {
	for _, known := range []error{fetch.ErrRefused, fetch.ErrUnsuitable, context.DeadlineExceeded, pictures.ErrUnsupported, pictures.ErrCorrupt, pictures.ErrTooLarge} {
		if errors.Is(err, known) {
			return known
		}
	}
	return errors.New("connection failed")
}
