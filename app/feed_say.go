package main

import "slices"

// What a feed says besides what is read.

// beat notes that the connection should show that it lives.
func (f *feed) beat() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.beatDue = true
	f.start()
}

// tell notes that Redis went away or came back.
func (f *feed) tell(away bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.news) < 2 { // an away and its back; a reader too slow for that is told the last
		f.news = append(f.news, away)
	} else {
		f.news[1] = away
	}
	f.start()
}

// tellAway tells who comes while Redis is away, and heard nothing of its going.
func (f *feed) tellAway() {
	if !f.app.store.Away() {
		return
	}
	f.tell(true)
	if !f.app.store.Away() { // its coming back may have been told before
		f.tell(false)
	}
}

// note has a frame written that does not matter much: one too many is dropped.
func (f *feed) note(frame []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.notes) < notesMost {
		f.notes = append(f.notes, frame)
		f.start()
	}
}

// answer writes a frame about what was appended to a room. Who follows the room gets it in
// one write with the entry, if that comes soon.
func (f *feed) answer(room string, frame []byte) {
	f.mu.Lock()
	soon := f.rooms[room] != nil && !f.closed && len(f.answers) < answersMost
	if soon {
		f.answers = append(f.answers, frame)
	}
	first := len(f.answers) == 1
	f.mu.Unlock()
	switch {
	case !soon:
		f.write(frame)
	case first:
		f.app.pumps.later(f)
	}
}

// answerNow has the answers written that have waited long enough.
func (f *feed) answerNow() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.answers) > 0 {
		f.start()
	}
}

// said is what is to be written besides what is read. The caller holds mu.
func (f *feed) said() []byte {
	notes := f.notes
	for _, away := range f.news {
		notes = append(notes, f.codec.status(away))
	}
	if f.beatDue {
		notes = append(notes, f.codec.beat())
	}
	f.notes, f.news, f.beatDue = nil, nil, false
	if len(notes) == 1 {
		return notes[0] // the same for all of a crowd, and long where many are present
	}
	return slices.Concat(notes...)
}
