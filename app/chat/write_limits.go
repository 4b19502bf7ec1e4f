package chat

import (
	"time"

	"burble/app/limit"
	"burble/app/protocol"
	"burble/streams"
)

const (
	// entryBytes is roughly how much memory an entry needs in Redis in addition to its text, for its
	// other fields and its send key, which is kept for a day.
	entryBytes = 500
	// byteBurst and roomBurst are how many times the rates an address may use up at once.
	byteBurst, roomBurst = 64, 20
	// allAddresses is how many times the rate of one address all of them together may create rooms.
	allAddresses = 10
)

// writeLimits limit what each address may add to Redis. Users do not count, because anyone can be any
// number of them.
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
	if ok, after := w.bytes.Allow(address, entryBytes+len(entry.Text), time.Now()); !ok {
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
