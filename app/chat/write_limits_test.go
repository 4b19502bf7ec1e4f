package chat

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"burble/app/identity"
	"burble/app/protocol"
	"burble/streams"
	"burble/streams/conns"
	"burble/streams/redistest"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/uuid"
)

// appendUntilRefused appends messages of many users at an address until one is refused, and returns how
// many were stored.
func appendUntilRefused(t *testing.T, service *Service, address, text string, room func(i int) string) (stored int) {
	t.Helper()
	for i := range 1000 {
		user := identity.User{ID: fmt.Sprint("user ", i), Name: "Eve"}
		message := streams.Entry{Kind: streams.Message, Key: uuid.NewString(), Text: text}
		_, err := service.Append(user, address, room(i), message)
		if refused := (*protocol.Error)(nil); errors.As(err, &refused) && refused.Code == protocol.RateLimited {
			return i
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return 1000
}

func startLimited(t *testing.T, options Options) *Service {
	t.Helper()
	redis := &conns.Address{Addrs: []string{miniredis.RunT(t).Addr()}}
	return New(redistest.Open(t, streams.Options{Redis: redis}), options)
}

func TestBytesOfOneAddressAreLimited(t *testing.T) {
	t.Parallel()
	const rate = 1000
	service := startLimited(t, Options{ByteRate: rate})
	lobby := func(int) string { return "lobby" }
	if stored := appendUntilRefused(t, service, "192.0.2.1", strings.Repeat("x", 4000), lobby); stored < 10 || stored > 20 {
		t.Errorf("%d messages of 4,000 bytes were stored at once, want about %d", stored, byteBurst*rate/(4000+entryBytes))
	}
	if stored := appendUntilRefused(t, service, "192.0.2.2", "x", lobby); stored < 100 {
		t.Errorf("another address stored %d short messages, want at least 100", stored)
	}
}

func TestNewRoomsAreLimited(t *testing.T) {
	t.Parallel()
	service := startLimited(t, Options{RoomRate: 1})
	number := 0
	newRoom := func(int) string { number++; return fmt.Sprint("room-", number) }
	for address := range allAddresses {
		if stored := appendUntilRefused(t, service, fmt.Sprint("192.0.2.", address), "x", newRoom); stored != roomBurst {
			t.Errorf("address %d created %d rooms at once, want %d", address, stored, roomBurst)
		}
	}
	if stored := appendUntilRefused(t, service, "198.51.100.1", "x", newRoom); stored != 0 {
		t.Errorf("one more address created %d rooms after all together had created %d, want 0", stored, roomBurst*allAddresses)
	}
	// Rooms that exist are not affected.
	if stored := appendUntilRefused(t, service, "192.0.2.1", "x", func(int) string { return "room-1" }); stored != 1000 {
		t.Errorf("%d messages were stored in a room that exists, want 1000", stored)
	}
}
