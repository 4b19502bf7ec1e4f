package chat

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"burble/app/identity"
	"burble/app/protocol"
	"burble/streams"
	"burble/streams/fold"

	"github.com/google/uuid"
)

// Directory finds people who have an account.
type Directory interface {
	// Find returns the users who have an account, with their names and ranks, and omits the others. A
	// banned user has the rank of a guest.
	Find(ctx context.Context, ids ...string) ([]identity.User, error)
	// List returns up to limit people, the oldest accounts first.
	List(ctx context.Context, limit int) ([]identity.User, error)
}

// noDirectory is a Directory without people.
type noDirectory struct{}

func (noDirectory) Find(context.Context, ...string) ([]identity.User, error) { return nil, nil }
func (noDirectory) List(context.Context, int) ([]identity.User, error)       { return nil, nil }

// People returns up to limit other people with an account, by name. Guests get none.
func (s *Service) People(ctx context.Context, user identity.User, limit int) ([]identity.User, error) {
	if user.Rank < identity.Account {
		return nil, nil
	}
	people, err := s.directory.List(ctx, limit)
	if err != nil {
		return nil, fmt.Errorf("list the people: %w: %w", streams.ErrUnavailable, err)
	}
	people = slices.DeleteFunc(people, func(person identity.User) bool { return person.ID == user.ID })
	slices.SortStableFunc(people, func(a, b identity.User) int { return cmp.Compare(fold.String(a.Name), fold.String(b.Name)) })
	return people, nil
}

// PresentUsers returns the IDs of the people in the rooms that Rooms lists for the user. In a room with more than
// streams.MaxNamed people, it finds only those that streams.Store.Present lists.
func (s *Service) PresentUsers(ctx context.Context, user identity.User) (map[string]bool, error) {
	by := s.as(user)
	rooms, err := by.Rooms(ctx, maxPresentRooms)
	if err != nil {
		return nil, err
	}
	var queries []streams.PresenceQuery
	for _, room := range rooms {
		if room.Present > 0 {
			queries = append(queries, streams.PresenceQuery{By: by, Room: room.Name})
		}
	}
	here := make(map[string]bool)
	for _, present := range s.store.Present(ctx, queries...) {
		if present.Err != nil && !errors.Is(present.Err, streams.ErrHidden) {
			return nil, present.Err
		}
		for _, person := range present.People {
			here[person.ID] = true
		}
	}
	return here, nil
}

// maxPresentRooms is the maximum number of rooms in which PresentUsers looks for people.
const maxPresentRooms = 100

// find returns the users who have an account, by ID.
func (s *Service) find(ctx context.Context, ids ...string) (map[string]identity.User, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	users, err := s.directory.Find(ctx, ids...)
	if err != nil {
		return nil, fmt.Errorf("find users: %w: %w", streams.ErrUnavailable, err)
	}
	found := make(map[string]identity.User, len(users))
	for _, user := range users {
		found[user.ID] = user
	}
	return found, nil
}

// CreateRoom creates a room for the user at the address, and returns its name. isNew is false if the direct
// room already exists. A user with an account moderates the room that they create, unless it is direct.
func (s *Service) CreateRoom(user identity.User, address string, wanted protocol.NewRoom) (room string, isNew bool, err error) {
	if err := allow(s.messages, user, "messages"); err != nil {
		return "", false, err
	}
	ctx, cancel := context.WithTimeout(s.ctx, callTimeout)
	defer cancel()
	wanted.Key = cmp.Or(wanted.Key, uuid.NewString())
	if wanted.Kind == protocol.PublicRoom {
		return s.createPublic(ctx, user, address, wanted)
	}
	if user.Rank < identity.Account {
		return "", false, streams.ErrSignIn
	}
	others, err := s.findAll(ctx, wanted.Members)
	if err != nil {
		return "", false, err
	}
	if wanted.Kind == protocol.DirectRoom {
		return s.createDirect(ctx, user, address, others)
	}
	if err := s.allowNewRoom(address, len(others)); err != nil {
		return "", false, err
	}
	room, err = s.as(user).CreatePrivateOnce(ctx, s.secret, wanted.Key, wanted.Title, others)
	return room, true, err
}

func (s *Service) createPublic(ctx context.Context, user identity.User, address string, wanted protocol.NewRoom) (room string, isNew bool, err error) {
	if err := s.allowNewRoom(address, 0); err != nil {
		return "", false, err
	}
	created, err := s.as(user).CreatePublic(ctx, wanted.Room, wanted.Key, wanted.Title)
	if err == nil && !created {
		err = protocol.ErrRoomExists
	}
	return wanted.Room, true, err
}

func (s *Service) createDirect(ctx context.Context, user identity.User, address string, others []streams.User) (room string, isNew bool, err error) {
	ids := []string{user.ID}
	for _, other := range others {
		ids = append(ids, other.ID)
	}
	// A room that exists does not count as a new one.
	if room := streams.DirectRoom(s.secret, ids...); s.as(user).CheckAccess(ctx, room) == nil {
		return room, false, nil
	}
	if err := s.allowNewRoom(address, len(others)); err != nil {
		return "", false, err
	}
	return s.as(user).CreateDirect(ctx, s.secret, others)
}

// allowNewRoom counts a new room, and its first entries, against the limits of the address.
func (s *Service) allowNewRoom(address string, others int) error {
	if err := s.writes.allowEntries(address, 2+others); err != nil {
		return err
	}
	return s.writes.allowRoom(address)
}

// findAll returns the users with the IDs, all of whom must have an account.
func (s *Service) findAll(ctx context.Context, ids []string) ([]streams.User, error) {
	found, err := s.find(ctx, ids...)
	if err != nil {
		return nil, err
	}
	users := make([]streams.User, len(ids))
	for i, id := range ids {
		if found[id].IsZero() {
			return nil, protocol.Errorf(protocol.NotFound, "members", "There is no user %s.", id)
		}
		users[i] = author(found[id])
	}
	return users, nil
}

// ChangeSettings changes the settings of a room. The user must moderate it.
func (s *Service) ChangeSettings(user identity.User, address, room string, change protocol.SettingsChange) (streams.Stored, error) {
	change.Key = cmp.Or(change.Key, uuid.NewString())
	if change.Title != nil && streams.IsHidden(room) {
		if err := protocol.CheckPrivateTitle(*change.Title); err != nil {
			return streams.Stored{}, err
		}
	}
	stored, err := s.appendChange(user, address, room, change.Entry())
	if err != nil {
		return stored, err
	}
	var actions []string
	if change.Title != nil {
		actions = append(actions, protocol.ActionTitle)
	}
	if change.Locked != nil {
		actions = append(actions, either(*change.Locked, protocol.ActionLock, protocol.ActionUnlock))
	}
	if change.Archived != nil {
		actions = append(actions, either(*change.Archived, protocol.ActionArchive, protocol.ActionUnarchive))
	}
	for _, action := range actions {
		err = errors.Join(err, s.recordChange(user, change.Key, streams.Entry{Action: action, Room: room}))
	}
	return stored, err
}

func either[T any](condition bool, yes, no T) T {
	if condition {
		return yes
	}
	return no
}

// recordChange records an action in the audit log. key is the idempotency key of the change, so a retry of the
// change does not record the action again.
func (s *Service) recordChange(by identity.User, key string, action streams.Entry) error {
	return s.Record(by, uuid.NewSHA1(uuid.NameSpaceOID, []byte(action.Action+" "+key)).String(), action)
}

// appendChange appends an entry that manages an existing room.
func (s *Service) appendChange(user identity.User, address, room string, entry streams.Entry) (streams.Stored, error) {
	if err := s.allowChange(user, address, &entry); err != nil {
		return streams.Stored{}, err
	}
	ctx, cancel := context.WithTimeout(s.ctx, callTimeout)
	defer cancel()
	stored, err := s.as(user).AppendExisting(ctx, room, entry)
	s.count(stored, err)
	if err != nil {
		return stored, fmt.Errorf("append %s: %w", entry.Kind, err)
	}
	return stored, nil
}

func (s *Service) allowChange(user identity.User, address string, entry *streams.Entry) error {
	if err := allow(s.messages, user, "messages"); err != nil {
		return err
	}
	return s.writes.allowEntry(address, entry)
}

// DeleteRoom deletes a room with everything in it. The user must be an owner of the server. If no replica has
// confirmed the deletion, DeleteRoom records it all the same, and returns streams.ErrUnconfirmed.
func (s *Service) DeleteRoom(user identity.User, room string) error {
	if err := allow(s.messages, user, "messages"); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(s.ctx, callTimeout)
	defer cancel()
	unconfirmed := s.as(user).DeleteRoom(ctx, room)
	if unconfirmed != nil && !errors.Is(unconfirmed, streams.ErrUnconfirmed) {
		return unconfirmed
	}
	// Nobody can repeat a deletion, so it succeeds even if a full Redis refuses to record it.
	err := s.Record(user, "", streams.Entry{Action: protocol.ActionDeleteRoom, Room: room})
	if errors.Is(err, streams.ErrFull) {
		s.log.Warn("cannot record in the audit log that a room was deleted", "user", user.ID, "error", err)
		err = nil
	}
	return cmp.Or(unconfirmed, err)
}

// About describes a room to the user. The title of a direct room is the names of the other members.
func (s *Service) About(ctx context.Context, user identity.User, room string) (streams.About, error) {
	about, err := s.as(user).About(ctx, room)
	if err == nil && about.Kind == protocol.DirectRoom {
		about.Settings.Title, err = s.directTitle(ctx, user, room)
	}
	return about, err
}

// Changes returns the changes of a room and its members that belong on the given page of its history: those between
// the page's messages, and those between the page and the requested position, which is query.Before or query.After.
func (s *Service) Changes(ctx context.Context, user identity.User, room string, query streams.PageQuery, page streams.Page) ([]streams.Entry, error) {
	after, upTo := query.After, cmp.Or(query.Before, page.AsOf.ID)
	if count := len(page.Entries); count > 0 && !page.Older.IsZero() && after.IsZero() {
		after = page.Entries[0].ID
	}
	if count := len(page.Entries); count > 0 && !page.Newer.IsZero() && query.Before.IsZero() {
		upTo = page.Entries[count-1].ID
	}
	return s.as(user).Changes(ctx, room, after, upTo)
}

// directTitle returns the names of the other members of a direct room.
func (s *Service) directTitle(ctx context.Context, user identity.User, room string) (string, error) {
	members, err := s.Members(ctx, user, room)
	var names []string
	for _, member := range members {
		if member.ID != user.ID {
			names = append(names, member.Name)
		}
	}
	return strings.Join(names, ", "), err
}

// maxTitles is the maximum number of titles of direct rooms that addTitles looks up at once.
const maxTitles = 16

// addTitles sets the titles of direct rooms in a list.
func (s *Service) addTitles(ctx context.Context, user identity.User, rooms []streams.Room) {
	slots := make(chan struct{}, maxTitles)
	var running sync.WaitGroup
	for i := range rooms {
		room := &rooms[i]
		if !streams.IsHidden(room.Name) || room.Title != "" {
			continue
		}
		slots <- struct{}{}
		running.Go(func() {
			defer func() { <-slots }()
			room.Title, _ = s.directTitle(ctx, user, room.Name) // the list is useful without it
		})
	}
	running.Wait()
}
