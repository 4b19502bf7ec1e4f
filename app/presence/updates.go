package presence

import (
	"cmp"
	"math"
	"slices"
	"time"

	"burble/streams"
)

// update holds the pending changes of one room.
type update struct {
	room       string
	arrived    []streams.Arrival // to record in Redis
	left       []streams.User    // to remove from Redis
	recipients []recipient       // to notify once
	countDue   bool              // whether to signal the number of people in the room
}

// takeUpdates returns the updates that are due, for up to maxRooms rooms and about maxUsers users, and
// whether there are more. It marks their arrivals as reported. It keeps users who left until Redis has
// recorded their departure. Otherwise they would stay in Redis forever if Redis failed.
//
// It takes one room from each connection in turn, so that a connection that joins thousands of rooms
// does not delay the others.
func (p *Presence) takeUpdates(now time.Time) (updates []update, more bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	users := 0
	for _, name := range p.dueRooms(now) {
		if len(updates) == maxRooms || users >= maxUsers {
			return updates, true
		}
		room := p.rooms[name]
		next := room.takeUpdate(name, now, p.grace)
		room.lastUpdate = now
		users += len(next.arrived) + len(next.left)
		updates = append(updates, next)
	}
	return updates, false
}

// dueRooms returns the names of the rooms whose updates are due, in the order in which to take them. It
// removes rooms with nothing to update from pending. The caller must hold mu.
func (p *Presence) dueRooms(now time.Time) []string {
	var due []string
	turns := make(map[string]int)
	turnsTaken := make(map[any]int) // by connection, or by user who left
	for name := range p.pending {
		room := p.rooms[name]
		causes, later := room.updateCauses(now, p.grace)
		switch {
		case len(causes) > 0 && now.Sub(room.lastUpdate) >= roomInterval:
			turn := math.MaxInt
			for _, cause := range causes {
				turn = min(turn, turnsTaken[cause])
				turnsTaken[cause]++
			}
			turns[name] = turn
			due = append(due, name)
		case len(causes) == 0 && !later:
			delete(p.pending, name)
			if len(room.members) == 0 {
				delete(p.rooms, name)
			}
		}
	}
	slices.SortFunc(due, func(a, b string) int { return cmp.Compare(turns[a], turns[b]) })
	return due
}

// updateCauses returns the connections and users for which an update is due, and whether one will be
// due later. The caller must hold Presence.mu.
func (o *occupants) updateCauses(now time.Time, grace time.Duration) (due []any, later bool) {
	for _, one := range o.recipients {
		due = append(due, one.Listener)
	}
	if !o.countDue.IsZero() {
		if now.Before(o.countDue) {
			later = true
		} else {
			due = append(due, nil)
		}
	}
	for id, member := range o.members {
		switch {
		case !member.left.IsZero() && now.Sub(member.left) < grace:
			later = true
		case !member.left.IsZero(), !member.isReported:
			due = append(due, id)
		}
	}
	return due, later
}

// takeUpdate returns the room's next update, which may be empty. The caller must hold Presence.mu.
func (o *occupants) takeUpdate(name string, now time.Time, grace time.Duration) update {
	next := update{room: name, recipients: o.recipients}
	o.recipients = nil
	if next.countDue = !o.countDue.IsZero() && !now.Before(o.countDue); next.countDue {
		o.countDue = time.Time{}
	}
	for _, member := range o.members {
		switch {
		case !member.left.IsZero() && now.Sub(member.left) >= grace:
			next.left = append(next.left, member.user.User)
		case !member.isReported:
			next.arrived = append(next.arrived, member.user)
			member.isReported = true
		}
	}
	return next
}
