package chat

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"burble/app/identity"
	"burble/app/protocol"
	"burble/streams"
	"burble/streams/fold"

	"github.com/google/uuid"
)

// Directory finds people who have an account.
type Directory interface {
	// Find returns those of the users who have an account, with their names and ranks. Those who are
	// banned have the rank of a guest.
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
// room exists already. A user with an account moderates the room that they create, unless it is direct.
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
	if room := streams.DirectRoom(s.secret, ids...); s.as(user).Enter(ctx, room) == nil {
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

// recordChange records an action in the audit, once for each key of the change.
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

// DeleteRoom deletes a room with everything in it. The user must be an owner of the server.
func (s *Service) DeleteRoom(user identity.User, room string) error {
	if err := allow(s.messages, user, "messages"); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(s.ctx, callTimeout)
	defer cancel()
	if err := s.as(user).DeleteRoom(ctx, room); err != nil {
		return err
	}
	return s.Record(user, "", streams.Entry{Action: protocol.ActionDeleteRoom, Room: room})
}

// About describes a room to the user. The title of a direct room is the names of the other members.
func (s *Service) About(ctx context.Context, user identity.User, room string) (streams.About, error) {
	about, err := s.as(user).About(ctx, room)
	if err == nil && about.Kind == protocol.DirectRoom {
		about.Settings.Title, err = s.directTitle(ctx, user, room)
	}
	return about, err
}

// Changes returns the changes of a room and of its members that a page of its history shows.
func (s *Service) Changes(ctx context.Context, user identity.User, room string, page streams.Page) ([]streams.Entry, error) {
	var after streams.ID
	upTo := page.AsOf.ID
	if count := len(page.Entries); count > 0 && !page.Older.IsZero() {
		after = page.Entries[0].ID
	}
	if count := len(page.Entries); count > 0 && !page.Newer.IsZero() {
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

// maxTitles is how many titles of direct rooms are looked up at once.
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

// Member is a member of a room.
type Member struct {
	streams.Member
	Name string
}

// Members returns the members of a room, moderators first, and then by name. In a public room, these are its
// moderators, and those who are or were muted.
func (s *Service) Members(ctx context.Context, user identity.User, room string) ([]Member, error) {
	members, err := s.as(user).Members(ctx, room)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(members))
	for i, member := range members {
		ids[i] = member.ID
	}
	found, err := s.find(ctx, ids...)
	if err != nil {
		return nil, err
	}
	var unknown []streams.Member // guests, and people who gave up their account
	for _, member := range members {
		if found[member.ID].IsZero() {
			unknown = append(unknown, member)
		}
	}
	var names map[string]string
	if len(unknown) > 0 {
		if names, err = s.as(user).MemberNames(ctx, room, unknown); err != nil {
			return nil, err
		}
	}
	named := make([]Member, len(members))
	for i, member := range members {
		named[i] = Member{member, cmp.Or(found[member.ID].Name, names[member.ID], "Someone")}
	}
	slices.SortFunc(named, func(a, b Member) int {
		return cmp.Or(-cmp.Compare(a.Role, b.Role), cmp.Compare(fold.String(a.Name), fold.String(b.Name)), cmp.Compare(a.ID, b.ID))
	})
	return named, nil
}

// ChangeMember adds, changes or removes a member of a room. A change to what already holds stores nothing, and
// Stored has the entry that made the user a member.
func (s *Service) ChangeMember(user identity.User, address, room, memberID string, change protocol.MemberChange) (streams.Stored, error) {
	if user.IsZero() {
		return streams.Stored{}, protocol.NameRequired()
	}
	ctx, cancel := context.WithTimeout(s.ctx, callTimeout)
	defer cancel()
	current, err := s.as(user).Member(ctx, room, memberID)
	if err != nil {
		return streams.Stored{}, err
	}
	if change.Role == "" {
		if change.Role = current.Role; change.Role == streams.NoRole {
			change.Role = streams.Ordinary
		}
	}
	isSame := change.Role == current.Role && change.MutedUntil.Equal(current.MutedUntil)
	if isSame && current.Role != streams.NoRole {
		return streams.Stored{Cursor: streams.Cursor{ID: current.Since}, Repeated: true}, nil
	}
	name, err := s.nameOf(ctx, user, room, current)
	if err != nil {
		return streams.Stored{}, err
	}
	entry := streams.Entry{
		Kind: streams.Joined, Key: cmp.Or(change.Key, uuid.NewString()), Member: streams.User{ID: memberID, Name: name},
		Role: change.Role, MutedUntil: change.MutedUntil, Reason: change.Reason,
	}
	stored, err := s.appendChange(user, address, room, entry)
	if err != nil {
		return stored, err
	}
	action := streams.Entry{Room: room, Member: entry.Member, Reason: entry.Reason}
	for _, action.Action = range actionsOf(user, current, &entry) {
		action.Role, action.MutedUntil = "", time.Time{}
		switch action.Action {
		case protocol.ActionRoomRole:
			action.Role = entry.Role
		case protocol.ActionMute:
			action.MutedUntil = entry.MutedUntil
		}
		err = errors.Join(err, s.recordChange(user, entry.Key, action))
	}
	return stored, err
}

// actionsOf returns what an entry does that belongs into the audit. Inviting people and leaving do not.
func actionsOf(user identity.User, before streams.Member, entry *streams.Entry) (actions []string) {
	wasModerator, isModerator := before.Role == streams.RoomModerator, entry.Role == streams.RoomModerator
	switch {
	case entry.Role == streams.NoRole && entry.Member.ID == user.ID:
		return nil
	case entry.Role == streams.NoRole:
		return []string{protocol.ActionRemove}
	case wasModerator != isModerator:
		actions = append(actions, protocol.ActionRoomRole)
	}
	switch {
	case before.MutedUntil.Equal(entry.MutedUntil):
	case entry.MutedUntil.IsZero():
		actions = append(actions, protocol.ActionUnmute)
	default:
		actions = append(actions, protocol.ActionMute)
	}
	return actions
}

// nameOf returns the name of a user whose membership changes. A guest is known in a public room if they wrote
// one of its newest entries or are present.
func (s *Service) nameOf(ctx context.Context, user identity.User, room string, member streams.Member) (string, error) {
	found, err := s.find(ctx, member.ID)
	if err != nil {
		return "", err
	}
	if one := found[member.ID]; !one.IsZero() {
		return one.Name, nil
	}
	if member.Role != streams.NoRole {
		names, err := s.as(user).MemberNames(ctx, room, []streams.Member{member})
		return cmp.Or(names[member.ID], "Someone"), err
	}
	name := ""
	if !streams.IsHidden(room) {
		if name, err = s.as(user).NameIn(ctx, room, member.ID); errors.Is(err, streams.ErrHidden) {
			err = nil
		}
	}
	if err == nil && name == "" {
		err = protocol.ErrUnknownUser
	}
	return name, err
}
