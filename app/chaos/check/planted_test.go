package check

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// plantedFlaws maps descriptions to flaws that the checker must find. plant adds the flaw to the evidence
// of a good run.
var plantedFlaws = map[string]struct {
	flaw  Flaw
	plant func(*Evidence)
}{
	"an acknowledged message that is not stored": {Lost, func(e *Evidence) {
		e.Sent = append(e.Sent, &SentEntry{Author: "ada", Room: "lobby", Entry: Entry{Key: "gone"}, Acks: []ID{{999, 0}}})
	}},
	"a message stored twice": {Repeated, func(e *Evidence) {
		again := *e.stored("lobby", 4)
		again.ID, again.Number = ID{40, 1}, 41
		e.Truth.History("lobby", "L").Add([]*Entry{&again})
	}},
	"a message that no client sent":          {Invented, func(e *Evidence) { e.Sent = e.Sent[1:] }},
	"a message stored with a different text": {Conflict, func(e *Evidence) { e.Sent[3].Entry.Text = "other" }},
	"a file of a message left out":           {Conflict, func(e *Evidence) { e.stored("lobby", 7).Files = "" }},
	"the description of another file":        {Conflict, func(e *Evidence) { e.stored("lobby", 7).Files = "file-7 another" }},
	"a file in two messages": {Repeated, func(e *Evidence) {
		for _, n := range []int{6, 7} {
			e.stored("lobby", n).Files, e.Sent[n-1].Entry.Files = "file-7 alt", "file-7 alt"
		}
	}},
	"a message stored in another room": {Leaked, func(e *Evidence) { e.Sent[3].Room = "trimmed" }},
	"a number left out of the stream":  {SilentGap, func(e *Evidence) { e.stored("lobby", 39).Number++ }},
	"numbers swapped in the stream": {Reordered, func(e *Evidence) {
		a, b := e.stored("lobby", 5), e.stored("lobby", 6)
		a.Number, b.Number = b.Number, a.Number
	}},
	"an author's messages swapped": {Reordered, func(e *Evidence) {
		a, b := e.Sent[4], e.Sent[6] // of one author
		a.Entry, b.Entry, a.Acks, b.Acks = b.Entry, a.Entry, b.Acks, a.Acks
	}},
	"a burst stored in a different order": {Reordered, func(e *Evidence) {
		a, b := e.Sent[4], e.Sent[6]
		a.Burst, a.Entry, b.Entry, a.Acks, b.Acks = b.Burst, b.Entry, a.Entry, b.Acks, a.Acks
	}},
	"two IDs acknowledged for one message": {WrongReply, func(e *Evidence) { e.Sent[3].Acks = append(e.Sent[3].Acks, ID{77, 0}) }},
	"an acknowledgment of another message": {WrongReply, func(e *Evidence) { e.Sent[3].Acks = e.Sent[5].Acks }},
	"a send refused without a reason":      {WrongReply, func(e *Evidence) { e.Sent[3].Acks, e.Sent[3].Refused = nil, "not_yours" }},
	"a send that was never confirmed":      {Incomplete, func(e *Evidence) { e.Sent[3].Acks = nil }},
	"a late acknowledgment": {LateReply, func(e *Evidence) {
		e.Sent[3].Attempts[0].Replied = e.Sent[3].Attempts[0].At.Add(ReplyLimit + time.Second)
	}},
	"a fresh read that lacks an acknowledged message": {Stale, func(e *Evidence) { e.Pages[0].IDs = e.Pages[0].IDs[:4] }},

	"an entry dropped from a frame": {SilentGap, func(e *Evidence) { f := e.frame("steady", 2); f.Entries = slices.Delete(f.Entries, 1, 2) }},
	"the last entry of a frame dropped, and its end moved": {SilentGap, func(e *Evidence) {
		f := e.frame("steady", 2)
		f.Entries = f.Entries[:len(f.Entries)-1]
		f.Upto.ID = f.Entries[len(f.Entries)-1].ID
	}},
	"a frame dropped":    {SilentGap, func(e *Evidence) { e.drop("steady", 2) }},
	"a frame sent twice": {Repeated, func(e *Evidence) { t := e.transcript("steady"); t.Events = slices.Insert(t.Events, 3, t.Events[2]) }},
	"an entry twice in a frame": {Repeated, func(e *Evidence) {
		f := e.frame("steady", 2)
		f.Entries = slices.Insert(slices.Clone(f.Entries), 1, f.Entries[0])
	}},
	"two entries swapped in a frame": {Reordered, func(e *Evidence) {
		f := e.frame("steady", 2)
		f.Entries[0], f.Entries[1] = f.Entries[1], f.Entries[0]
	}},
	"a frame that begins before the last one's end": {Repeated, func(e *Evidence) { e.frame("steady", 3).After = e.frame("steady", 2).After }},
	"a frame from another history":                  {Conflict, func(e *Evidence) { e.frame("steady", 3).Upto.Epoch = "New" }},
	"a frame from a history that never existed":     {Invented, func(e *Evidence) { e.frame("steady", 2).Upto.Epoch = "Nowhere" }},
	"an entry sent with a different text": {Conflict, func(e *Evidence) {
		f := e.frame("steady", 2)
		other := *f.Entries[1]
		other.Text = "other"
		f.Entries[1] = &other
	}},
	"an entry that is in no history": {Invented, func(e *Evidence) {
		f := e.frame("steady", 2)
		f.Entries = slices.Insert(f.Entries, 1, &Entry{ID: ID{f.Entries[0].ID.Millis, 1}, Key: "nobody's"})
	}},
	"an entry of another room": {Leaked, func(e *Evidence) {
		f := e.frame("steady", 2)
		f.Entries = slices.Insert(f.Entries, 1, &Entry{ID: ID{f.Entries[0].ID.Millis, 1}, Key: e.stored("trimmed", 1).Key})
	}},
	"an entry outside its frame":            {WrongPosition, func(e *Evidence) { f := e.frame("steady", 2); f.Upto = Cursor{f.Entries[0].ID, "L"} }},
	"entries before the first \"followed\"": {WrongPosition, func(e *Evidence) { e.drop("steady", 1) }},
	"resuming at a different cursor":        {WrongPosition, func(e *Evidence) { e.frame("comes back", 4).Cursor.ID = ID{12, 0} }},
	"resuming in a different epoch":         {WrongPosition, func(e *Evidence) { e.frame("comes back", 4).Cursor.Epoch = "New" }},
	"resuming in the future":                {SilentGap, func(e *Evidence) { e.resumeAt("comes back", Cursor{ID{5000, 0}, "L"}) }},
	"a missing reset":                       {Conflict, func(e *Evidence) { e.drop("sees the room destroyed", 3) }},
	"a reset without a loss":                {FalseGap, func(e *Evidence) { e.frame("comes back", 4).State = "reset" }},
	"a missing truncation": {SilentGap, func(e *Evidence) {
		e.frame("sleeps through a trim", 4).State = "resumed"
		e.resumeAt("sleeps through a trim", Cursor{ID{5, 0}, "T"})
	}},
	"a truncation that skips entries": {SilentGap, func(e *Evidence) {
		e.frame("sleeps through a trim", 4).Cursor.ID = ID{12, 0}
		f := e.frame("sleeps through a trim", 5)
		f.After.ID, f.Entries = ID{12, 0}, f.Entries[2:]
	}},
	"a truncation without a trim": {FalseGap, func(e *Evidence) {
		e.frame("comes back", 4).State = "truncated"
		e.frame("comes back", 4).Cursor.ID = ID{30, 0}
	}},
	"a lost entry without a reset": {SilentGap, func(e *Evidence) { e.drop("sees a primary lost", 3) }},
	"a lost entry that two clients read differently": {Conflict, func(e *Evidence) {
		other := *e.frame("sees a primary lost", 2).Entries[10]
		other.Text = "other"
		twin := *e.transcript("sees a primary lost")
		twin.Events = slices.Clone(twin.Events)
		twin.Events[2].Entries = append(slices.Clone(twin.Events[2].Entries[:10]), &other)
		e.Transcripts = append(e.Transcripts, &twin)
	}},
	"a client that misses the last entries": {Incomplete, func(e *Evidence) { t := e.transcript("steady"); t.Events = t.Events[:len(t.Events)-1] }},
}

func TestCheckerFindsEveryPlantedFlaw(t *testing.T) {
	for name, planted := range plantedFlaws {
		t.Run(name, func(t *testing.T) {
			e := goodEvidence()
			planted.plant(e)
			if c := Run(*e); c.Count(planted.flaw) == 0 {
				t.Errorf("got findings %v, want one of %s", c.Findings, planted.flaw)
			}
		})
	}
	if c := Run(*goodEvidence()); len(c.Findings) > 0 || c.Declared != 3 {
		t.Errorf("good run: got %d declared gaps and findings %v, want 3 and none", c.Declared, c.Findings)
	}
}

func (e *Evidence) transcript(client string) *Transcript {
	i := slices.IndexFunc(e.Transcripts, func(t *Transcript) bool { return t.Client == client })
	return e.Transcripts[i]
}

func (e *Evidence) frame(client string, i int) *Event { return &e.transcript(client).Events[i] }

func (e *Evidence) drop(client string, i int) {
	t := e.transcript(client)
	t.Events = slices.Delete(t.Events, i, i+1)
}

// resumeAt makes a client's second connection request the cursor and resume there.
func (e *Evidence) resumeAt(client string, at Cursor) {
	e.frame(client, 3).Cursor, e.frame(client, 4).Cursor = at, at
}

// stored returns the n-th entry of the room's current history.
func (e *Evidence) stored(room string, n int) *Entry {
	_, h := e.Truth.Current(room)
	return h.entries[n-1]
}

// goodEvidence returns the evidence of a small run without flaws. Entry n of a room has the ID n-0.
func goodEvidence() *Evidence {
	e := &Evidence{Truth: make(Truth)}
	e.MayBeOrphan = func(at ID) bool { return at.Millis > 100 && at.Seq == 7 }
	e.MayLose = func(at ID) bool { return false }
	lobby := e.write("lobby", "L", 1, 40)
	old, renewed := e.write("destroyed", "Old", 1, 10), e.write("destroyed", "New", 11, 20)
	e.Truth.History("destroyed", "Old").DeletedAt = moment(50)
	trimmed := e.write("trimmed", "T", 1, 20)
	e.Truth.History("trimmed", "T").Trimmed = ID{10, 0}
	kept := e.write("forked", "F", 1, 15)
	branch := []*Entry{{ID: ID{110, 7}, Key: "branch", Text: "lost"}}

	e.record("steady", "lobby", requests(Beginning), follows("resumed", "0-0@0"),
		reads("0-0@0", "L", lobby[:10]), reads("10-0@L", "L", lobby[10:30]), reads("30-0@L", "L", lobby[30:]))
	e.record("comes back", "lobby", requests(Beginning), follows("resumed", "0-0@0"), reads("0-0@0", "L", lobby[:20]),
		requests(Cursor{ID{20, 0}, "L"}), follows("resumed", "20-0@L"), reads("20-0@L", "L", lobby[20:]))
	e.record("wants the newest", "lobby", Event{Kind: Requested, Fresh: true}, follows("fresh", "30-0@L"), reads("30-0@L", "L", lobby[30:]))
	e.record("sees the room destroyed", "destroyed", requests(Beginning), follows("resumed", "0-0@0"), reads("0-0@0", "Old", old),
		follows("reset", "0-0@New"), reads("0-0@New", "New", renewed))
	e.record("sleeps through a trim", "trimmed", requests(Beginning), follows("resumed", "0-0@0"), reads("0-0@0", "T", trimmed[:5]),
		requests(Cursor{ID{5, 0}, "T"}), follows("truncated", "10-0@T"), reads("10-0@T", "T", trimmed[10:]))
	e.record("sees a primary lost", "forked", requests(Beginning), follows("resumed", "0-0@0"), reads("0-0@0", "F", append(slices.Clone(kept[:10]), branch...)),
		follows("reset", "5-0@F"), reads("5-0@F", "F", kept[5:]))

	shown := Page{Room: "lobby", Wanted: ID{40, 0}, AsOf: Cursor{ID{40, 0}, "L"}, Older: true}
	for _, entry := range lobby[35:] {
		shown.IDs = append(shown.IDs, entry.ID)
	}
	e.Pages = []*Page{&shown}
	return e
}

// write adds acknowledged entries by two authors in turn.
func (e *Evidence) write(room, epoch string, first, last int) (all []*Entry) {
	for n := first; n <= last; n++ {
		author := []string{"ada", "bob"}[n%2]
		entry := Entry{ID: ID{uint64(n), 0}, Number: int64(n - first + 1), Kind: "message", User: author, Key: fmt.Sprint(room, epoch, n), Text: fmt.Sprint(n)}
		if n%7 == 0 {
			entry.AddFile(fmt.Sprint("file-", room, epoch, n), "alt")
		}
		all = append(all, &entry)
		e.Sent = append(e.Sent, &SentEntry{
			Author: author, Room: room, Burst: n, Entry: Entry{Kind: entry.Kind, User: author, Key: entry.Key, Text: entry.Text, Files: entry.Files},
			Attempts: []Attempt{{At: moment(n), Replied: moment(n)}}, Acks: []ID{entry.ID},
		})
	}
	e.Truth.History(room, epoch).Add(all)
	return all
}

func (e *Evidence) record(client, room string, events ...Event) {
	for i := range events {
		events[i].At = moment(100 + i)
	}
	e.Transcripts = append(e.Transcripts, &Transcript{Client: client, Room: room, Events: events})
}

func moment(second int) time.Time { return time.Unix(1_800_000_000+int64(second), 0) }

func requests(at Cursor) Event { return Event{Kind: Requested, Cursor: at} }

func follows(state, at string) Event {
	id, _ := ParseCursor(at)
	return Event{Kind: Followed, State: state, Cursor: id}
}

func reads(after, epoch string, entries []*Entry) Event {
	from, _ := ParseCursor(after)
	return Event{Kind: Batch, After: from, Upto: Cursor{entries[len(entries)-1].ID, epoch}, Entries: slices.Clone(entries)}
}
