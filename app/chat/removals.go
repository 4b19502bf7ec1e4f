package chat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"burble/app/identity"
	"burble/app/lease"
	"burble/app/protocol"
	"burble/streams"

	"github.com/google/uuid"
)

// A removal is a job that deletes all messages that a user wrote in a room, or in all rooms. Its state is in
// Redis, so that another server continues it if this one dies. Each step reads a page of a room, and deletes the
// user's messages there as the moderator would. Repeating a step is harmless, because the send key of each
// deletion is derived from the message.

// removalPage is the maximum number of messages that a step reads. To find them, it examines at most about 1,000
// entries.
const removalPage = 100

// removal is the state of a job.
type removal struct {
	User string `json:"user"`           // whose messages are removed
	By   string `json:"by"`             // the moderator
	Room string `json:"room,omitempty"` // empty for all rooms

	Scan      string     `json:"scan"`       // cursor of streams.Access.ScanRooms
	IsScanned bool       `json:"is_scanned"` // whether the scan has ended
	Rooms     []string   `json:"rooms"`      // scanned rooms that are not done yet
	Before    streams.ID `json:"before"`     // position in the first of Rooms; zero for its end
}

// RemoveMessages begins to delete all messages that another user has written in the room, or in all rooms that
// the moderator may moderate if room is empty. The work continues after RemoveMessages returns, on any server.
// Repeated calls are safe.
func (s *Service) RemoveMessages(moderator identity.User, room, userID string) error {
	if err := allow(s.messages, moderator, "messages"); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(s.ctx, callTimeout)
	defer cancel()
	if err := s.checkModerates(ctx, moderator, room); err != nil {
		return err
	}
	job := removal{User: userID, By: moderator.ID, Room: room}
	if room != "" {
		job.Rooms, job.IsScanned = []string{room}, true
	}
	name, err := s.nameFor(ctx, moderator, room, userID)
	if err != nil {
		return err
	}
	if err := s.store.AddJob(ctx, job.id(), job.encode()); err != nil {
		return err
	}
	s.removals().Wake()
	return s.Record(moderator, "", streams.Entry{Action: protocol.ActionErase, Room: room, Member: streams.User{ID: userID, Name: name}})
}

// nameFor returns the name of a user for the audit log, or "" if it is unknown.
func (s *Service) nameFor(ctx context.Context, moderator identity.User, room, userID string) (string, error) {
	found, err := s.find(ctx, userID)
	if name := found[userID].Name; err != nil || name != "" || room == "" {
		return name, err
	}
	return s.as(moderator).NameIn(ctx, room, userID)
}

// checkModerates returns an error unless the user moderates the room, or all public rooms if room is empty.
func (s *Service) checkModerates(ctx context.Context, user identity.User, room string) error {
	if room == "" {
		if user.Rank < identity.Moderator {
			return streams.ErrNotModerator
		}
		return nil
	}
	about, err := s.as(user).About(ctx, room)
	if err != nil {
		return err
	}
	if user.Rank < identity.Moderator && about.Own.Role != streams.RoomModerator {
		return streams.ErrNotModerator
	}
	return nil
}

func (r *removal) id() string { return fmt.Sprintf("remove:%s:%s:%s", r.User, r.By, r.Room) }

func (r *removal) encode() string {
	state, err := json.Marshal(r)
	if err != nil {
		panic(err) // unreachable: a removal has only fields that can be encoded
	}
	return string(state)
}

// newRemovals returns the job that carries out all removals.
func (s *Service) newRemovals() *lease.Job {
	return lease.New(lease.Options{
		Name: "removals", Redis: s.store.Conns(), Prefix: s.store.Prefix(), Log: s.log,
		Step: func(ctx context.Context, _ string) (string, bool, error) {
			done, err := s.continueRemovals(ctx)
			return "", done, err
		},
	})
}

// continueRemovals does one step of each removal. Then it pauses for twice as long as the steps took, so that Redis
// has time for others.
func (s *Service) continueRemovals(ctx context.Context) (allDone bool, err error) {
	jobs, err := s.store.Jobs(ctx)
	if err != nil {
		return false, err
	}
	began := time.Now()
	var errs []error
	allDone = true
	for id, state := range jobs {
		var job removal
		if json.Unmarshal([]byte(state), &job) != nil || job.id() != id {
			continue // a later release may have other jobs
		}
		done, err := s.removeSome(ctx, &job)
		switch {
		case err != nil:
		case done:
			err = s.store.FinishJob(ctx, id)
		default:
			err = s.store.SaveJob(ctx, id, job.encode())
		}
		errs = append(errs, err)
		allDone = allDone && done
	}
	select {
	case <-ctx.Done():
	case <-time.After(2 * time.Since(began)):
	}
	return allDone, errors.Join(errs...)
}

// removeSome does one step of a job. It checks the moderator's current rights: if they are no longer a
// moderator, the job ends.
func (s *Service) removeSome(ctx context.Context, job *removal) (done bool, err error) {
	found, err := s.find(ctx, job.By)
	if err != nil {
		return false, err
	}
	moderator := found[job.By]
	if moderator.Rank < identity.Account {
		return true, nil
	}
	if len(job.Rooms) == 0 {
		if job.IsScanned || moderator.Rank < identity.Moderator {
			return true, nil
		}
		job.Rooms, job.Scan, err = s.as(moderator).ScanRooms(ctx, job.Scan)
		job.IsScanned = job.Scan == ""
		return false, err
	}
	older, err := s.removeFromPage(ctx, moderator, job)
	if err != nil && !cannotModerate(err) {
		return false, err
	}
	if job.Before = older; err != nil || older.IsZero() {
		job.Rooms, job.Before = job.Rooms[1:], streams.ID{}
	}
	return false, nil
}

// cannotModerate reports whether a moderator cannot remove messages from a room, because they may not see or
// moderate it, or because it no longer exists.
func cannotModerate(err error) bool {
	for _, refused := range []error{streams.ErrHidden, streams.ErrSignIn, streams.ErrNotYours, streams.ErrNoRoom, streams.ErrBadRoom} {
		if errors.Is(err, refused) {
			return true
		}
	}
	return false
}

// removeFromPage deletes the user's messages on one page. It returns the ID before which the next page is, or
// the zero ID at the beginning of the room.
func (s *Service) removeFromPage(ctx context.Context, moderator identity.User, job *removal) (older streams.ID, err error) {
	room := job.Rooms[0]
	page, err := s.as(moderator).Page(ctx, room, streams.PageQuery{Before: job.Before, Limit: removalPage})
	if err != nil {
		return older, err
	}
	errs := make([]error, len(page.Entries))
	var running sync.WaitGroup
	for i := range page.Entries {
		entry := &page.Entries[i]
		if entry.Kind != streams.Message || entry.User.ID != job.User || entry.Deleted {
			continue
		}
		running.Go(func() {
			key := uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "remove %s %s %s", moderator.ID, room, entry.ID)).String()
			deletion := streams.Entry{Kind: streams.Delete, Key: key, Of: entry.ID}
			stored, err := s.as(moderator).AppendExisting(ctx, room, deletion)
			s.reportFiles(room, stored)
			if !errors.Is(err, streams.ErrNotFound) {
				errs[i] = err
			}
		})
	}
	running.Wait()
	return page.Older, errors.Join(errs...)
}
