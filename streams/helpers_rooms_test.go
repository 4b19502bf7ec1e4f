package streams_test

import (
	"context"
	"fmt"
	"testing"

	"burble/streams"

	"github.com/google/uuid"
)

// account returns the nth user with an account. Account 0 creates the rooms.
func account(n int) streams.User {
	return streams.User{ID: fmt.Sprintf("33333333-3333-4333-8333-%012d", n), Name: fmt.Sprint("Account ", n)}
}

// asAccount returns the Access of the nth account, which has no higher rank.
func asAccount(store *streams.Store, n int) streams.Access {
	return store.AsRanked(account(n), streams.Account)
}

// privateRoom creates a private room with the accounts 0 to members-1.
func privateRoom(t testing.TB, store *streams.Store, members int) string {
	t.Helper()
	var others []streams.User
	for n := 1; n < members; n++ {
		others = append(others, account(n))
	}
	room, err := asAccount(store, 0).CreatePrivate(context.Background(), "Launch", others)
	if err != nil {
		t.Fatal(err)
	}
	return room
}

// setMember appends an entry that gives the account the role in the room.
func setMember(by streams.Access, room string, n int, role streams.Role) (streams.Stored, error) {
	entry := streams.Entry{Kind: streams.MemberChanged, Key: uuid.NewString(), Member: account(n), Role: role}
	return by.Append(context.Background(), room, entry)
}

func mustPage(t *testing.T, by streams.Access, room string) streams.Page {
	t.Helper()
	page, err := by.Page(context.Background(), room, streams.PageQuery{Limit: 50})
	if err != nil {
		t.Fatal(err)
	}
	return page
}
