package chat

import (
	"time"

	"burble/app/limit"
	"burble/app/protocol"
	"burble/streams"
)

const (
	// entryBytes is roughly how much memory an entry needs in Redis in addition to its text, for its
	// other fields and its idempotency key, which is kept for a day.
	entryBytes = 500
	// byteBurst and roomBurst are the sizes of bursts, as multiples of the rates.
	byteBurst, roomBurst = 64, 20
	// allAddresses is the rate at which all addresses together may create rooms, as a multiple of the
	// rate of one address.
	allAddresses = 10
)

// writeLimits limit what each address may add to Redis. The limits are not per user, because anyone can
// create any number of users.
type writeLimits struct {
	bytes    *limit.Rate
	rooms    *limit.Rate // new ones
	allRooms *limit.Rate // the same for all addresses together; its only key is ""
}

func newWriteLimits(options Options) writeLimits {
	perSecond := options.RoomRate / 60
	return writeLimits{
		bytes:    limit.NewRate(options.ByteRate, int(byteBurst*options.ByteRate)),
		rooms:    limit.NewRate(perSecond, int(roomBurst*options.RoomRate)),
		allRooms: limit.NewRate(perSecond*allAddresses, int(roomBurst*allAddresses*options.RoomRate)),
	}
}

// allowEntry counts an entry against the bytes of an address.
func (w *writeLimits) allowEntry(address string, entry *streams.Entry) error {
	bytes := entryBytes + len(entry.Text) + len(entry.Settings.Title) + len(entry.Reason)
	for _, file := range entry.Files {
		bytes += entryBytes + len(file.Alt) // what AddFile has stored becomes part of the entry
	}
	if preview := entry.Preview; preview != nil {
		bytes += len(preview.URL) + len(preview.Title) + len(preview.Description) + len(preview.Site)
	}
	if ok, after := w.bytes.Allow(address, bytes, time.Now()); !ok {
		return protocol.TooMany("bytes", after)
	}
	return nil
}

// allowEntries counts entries without text against the bytes of an address.
func (w *writeLimits) allowEntries(address string, count int) error {
	if ok, after := w.bytes.Allow(address, count*entryBytes, time.Now()); !ok {
		return protocol.TooMany("bytes", after)
	}
	return nil
}

// allowRoom counts a new room of an address.
func (w *writeLimits) allowRoom(address string) error {
	ok, after := w.rooms.Allow(address, 1, time.Now())
	if ok {
		ok, after = w.allRooms.Allow("", 1, time.Now())
	}
	if !ok {
		return protocol.TooMany("new rooms", after)
	}
	return nil
}
