package chaos

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// The checker is checked: a good run is found good, and each of these flaws, planted
// in it, is found for what it is.
func TestCheckerFindsEveryPlantedFlaw(t *testing.T) {
	for name, planted := range map[string]struct {
		flaw flaw
		harm func(*evidence)
	}{
		"an acknowledged message that is not stored": {lost, func(e *evidence) {
			e.sent = append(e.sent, &sent{author: "ada", room: "lobby", entry: entry{key: "gone"}, acks: []id{{999, 0}}})
		}},
		"a message stored twice": {repeated, func(e *evidence) {
			again := *e.stored("lobby", 4)
			again.id, again.n = id{40, 1}, 41
			e.truth.history("lobby", "L").add([]*entry{&again})
		}},
		"a message stored that nobody sent":  {invented, func(e *evidence) { e.sent = e.sent[1:] }},
		"a message stored with another text": {forked, func(e *evidence) { e.sent[3].entry.text = "other" }},
		"a message stored in another room":   {leaked, func(e *evidence) { e.sent[3].room = "trimmed" }},
		"a number left out of the stream":    {gap, func(e *evidence) { e.stored("lobby", 39).n++ }},
		"numbers that swapped in the stream": {reordered, func(e *evidence) {
			a, b := e.stored("lobby", 5), e.stored("lobby", 6)
			a.n, b.n = b.n, a.n
		}},
		"an author's messages that swapped": {reordered, func(e *evidence) {
			a, b := e.sent[4], e.sent[6] // of one author
			a.entry, b.entry, a.acks, b.acks = b.entry, a.entry, b.acks, a.acks
		}},
		"a burst that was stored in another order": {reordered, func(e *evidence) {
			a, b := e.sent[4], e.sent[6]
			a.burst, a.entry, b.entry, a.acks, b.acks = b.burst, b.entry, a.entry, b.acks, a.acks
		}},
		"two IDs told for one message":  {wrongReply, func(e *evidence) { e.sent[3].acks = append(e.sent[3].acks, id{77, 0}) }},
		"an acknowledgement of another": {wrongReply, func(e *evidence) { e.sent[3].acks = e.sent[5].acks }},
		"a send refused for nothing":    {wrongReply, func(e *evidence) { e.sent[3].acks, e.sent[3].refused = nil, "not_yours" }},
		"a send that nobody answered":   {behind, func(e *evidence) { e.sent[3].acks = nil }},
		"a late acknowledgement": {late, func(e *evidence) {
			e.sent[3].attempts[0].answered = e.sent[3].attempts[0].at.Add(answerLimit + time.Second)
		}},
		"a fresh read without what was acknowledged": {stale, func(e *evidence) { e.pages[0].ids = e.pages[0].ids[:4] }},

		"an entry dropped from a frame": {gap, func(e *evidence) { f := e.frame("steady", 2); f.entries = slices.Delete(f.entries, 1, 2) }},
		"the last entry of a frame dropped, and its end moved": {gap, func(e *evidence) {
			f := e.frame("steady", 2)
			f.entries = f.entries[:len(f.entries)-1]
			f.upto.id = f.entries[len(f.entries)-1].id
		}},
		"a frame dropped":    {gap, func(e *evidence) { e.drop("steady", 2) }},
		"a frame told twice": {repeated, func(e *evidence) { t := e.of("steady"); t.events = slices.Insert(t.events, 3, t.events[2]) }},
		"an entry told twice in a frame": {repeated, func(e *evidence) {
			f := e.frame("steady", 2)
			f.entries = slices.Insert(slices.Clone(f.entries), 1, f.entries[0])
		}},
		"two entries swapped in a frame": {reordered, func(e *evidence) {
			f := e.frame("steady", 2)
			f.entries[0], f.entries[1] = f.entries[1], f.entries[0]
		}},
		"a frame that begins before the last one's end": {repeated, func(e *evidence) { e.frame("steady", 3).after = e.frame("steady", 2).after }},
		"a frame of another history":                    {forked, func(e *evidence) { e.frame("steady", 3).upto.epoch = "New" }},
		"a frame of a history that never was":           {invented, func(e *evidence) { e.frame("steady", 2).upto.epoch = "Nowhere" }},
		"an entry that is told with another text": {forked, func(e *evidence) {
			f := e.frame("steady", 2)
			other := *f.entries[1]
			other.text = "other"
			f.entries[1] = &other
		}},
		"an entry told that is in no history": {invented, func(e *evidence) {
			f := e.frame("steady", 2)
			f.entries = slices.Insert(f.entries, 1, &entry{id: id{f.entries[0].id.millis, 1}, key: "nobody's"})
		}},
		"an entry of another room": {leaked, func(e *evidence) {
			f := e.frame("steady", 2)
			f.entries = slices.Insert(f.entries, 1, &entry{id: id{f.entries[0].id.millis, 1}, key: e.stored("trimmed", 1).key})
		}},
		"an entry outside its frame":    {misplaced, func(e *evidence) { f := e.frame("steady", 2); f.upto = cursor{f.entries[0].id, "L"} }},
		"entries before any followed":   {misplaced, func(e *evidence) { e.drop("steady", 1) }},
		"a resumption elsewhere":        {misplaced, func(e *evidence) { e.frame("comes back", 4).place.id = id{12, 0} }},
		"a resumption in another epoch": {misplaced, func(e *evidence) { e.frame("comes back", 4).place.epoch = "New" }},
		"a resumption in the future":    {gap, func(e *evidence) { e.resumeAt("comes back", cursor{id{5000, 0}, "L"}) }},
		"a reset that is not told":      {forked, func(e *evidence) { e.drop("sees the room destroyed", 3) }},
		"a reset told without a loss":   {undue, func(e *evidence) { e.frame("comes back", 4).state = "reset" }},
		"a truncation that is not told": {gap, func(e *evidence) {
			e.frame("sleeps through a trim", 4).state = "resumed"
			e.resumeAt("sleeps through a trim", cursor{id{5, 0}, "T"})
		}},
		"a truncation that goes too far": {gap, func(e *evidence) {
			e.frame("sleeps through a trim", 4).place.id = id{12, 0}
			f := e.frame("sleeps through a trim", 5)
			f.after.id, f.entries = id{12, 0}, f.entries[2:]
		}},
		"a truncation without a trim": {undue, func(e *evidence) {
			e.frame("comes back", 4).state = "truncated"
			e.frame("comes back", 4).place.id = id{30, 0}
		}},
		"a lost branch without a reset": {gap, func(e *evidence) { e.drop("sees a primary lost", 3) }},
		"two stories of a lost entry": {forked, func(e *evidence) {
			other := *e.frame("sees a primary lost", 2).entries[10]
			other.text = "other"
			twin := *e.of("sees a primary lost")
			twin.events = slices.Clone(twin.events)
			twin.events[2].entries = append(slices.Clone(twin.events[2].entries[:10]), &other)
			e.transcripts = append(e.transcripts, &twin)
		}},
		"a client that is never told the end": {behind, func(e *evidence) { t := e.of("steady"); t.events = t.events[:len(t.events)-1] }},
	} {
		t.Run(name, func(t *testing.T) {
			e := goodEvidence()
			planted.harm(e)
			if c := check(*e); c.count(planted.flaw) == 0 {
				t.Errorf("not found to be %s: %v", planted.flaw, c.findings)
			}
		})
	}
	if c := check(*goodEvidence()); len(c.findings) > 0 || c.declared != 3 {
		t.Errorf("a good run: %d gaps declared, want 3, and found %v", c.declared, c.findings)
	}
}

func (e *evidence) of(client string) *transcript {
	i := slices.IndexFunc(e.transcripts, func(t *transcript) bool { return t.client == client })
	return e.transcripts[i]
}

func (e *evidence) frame(client string, i int) *event { return &e.of(client).events[i] }

func (e *evidence) drop(client string, i int) {
	t := e.of(client)
	t.events = slices.Delete(t.events, i, i+1)
}

// resumeAt makes a client ask for the place at its second coming, and be resumed there.
func (e *evidence) resumeAt(client string, at cursor) {
	e.frame(client, 3).place, e.frame(client, 4).place = at, at
}

// stored is the n-th entry of the room's only history.
func (e *evidence) stored(room string, n int) *entry {
	_, h := e.truth.current(room)
	return h.entries[n-1]
}

// goodEvidence is a small run in which all went well: entry n of a room has the ID n-0.
func goodEvidence() *evidence {
	e := &evidence{truth: make(truth)}
	e.mayBeOrphan = func(at id) bool { return at.millis > 100 && at.seq == 7 }
	e.mayLose = func(at id) bool { return false }
	lobby := e.speak("lobby", "L", 1, 40)
	old, renewed := e.speak("destroyed", "Old", 1, 10), e.speak("destroyed", "New", 11, 20)
	e.truth.history("destroyed", "Old").ended = moment(50)
	trimmed := e.speak("trimmed", "T", 1, 20)
	e.truth.history("trimmed", "T").trimmed = id{10, 0}
	kept := e.speak("forked", "F", 1, 15)
	branch := []*entry{{id: id{110, 7}, key: "branch", text: "lost"}}

	e.hear("steady", "lobby", asks(beginning), tells("resumed", "0-0@0"),
		reads("0-0@0", "L", lobby[:10]), reads("10-0@L", "L", lobby[10:30]), reads("30-0@L", "L", lobby[30:]))
	e.hear("comes back", "lobby", asks(beginning), tells("resumed", "0-0@0"), reads("0-0@0", "L", lobby[:20]),
		asks(cursor{id{20, 0}, "L"}), tells("resumed", "20-0@L"), reads("20-0@L", "L", lobby[20:]))
	e.hear("wants the newest", "lobby", event{kind: requested, fresh: true}, tells("fresh", "30-0@L"), reads("30-0@L", "L", lobby[30:]))
	e.hear("sees the room destroyed", "destroyed", asks(beginning), tells("resumed", "0-0@0"), reads("0-0@0", "Old", old),
		tells("reset", "0-0@New"), reads("0-0@New", "New", renewed))
	e.hear("sleeps through a trim", "trimmed", asks(beginning), tells("resumed", "0-0@0"), reads("0-0@0", "T", trimmed[:5]),
		asks(cursor{id{5, 0}, "T"}), tells("truncated", "10-0@T"), reads("10-0@T", "T", trimmed[10:]))
	e.hear("sees a primary lost", "forked", asks(beginning), tells("resumed", "0-0@0"), reads("0-0@0", "F", append(slices.Clone(kept[:10]), branch...)),
		tells("reset", "5-0@F"), reads("5-0@F", "F", kept[5:]))

	shown := page{room: "lobby", wanted: id{40, 0}, asOf: cursor{id{40, 0}, "L"}, older: true}
	for _, one := range lobby[35:] {
		shown.ids = append(shown.ids, one.id)
	}
	e.pages = []*page{&shown}
	return e
}

// speak has two authors take turns. Everything is acknowledged.
func (e *evidence) speak(room, epoch string, first, last int) (all []*entry) {
	for n := first; n <= last; n++ {
		author := []string{"ada", "bob"}[n%2]
		one := entry{id: id{uint64(n), 0}, n: int64(n - first + 1), kind: "message", user: author, key: fmt.Sprint(room, epoch, n), text: fmt.Sprint(n)}
		all = append(all, &one)
		e.sent = append(e.sent, &sent{
			author: author, room: room, burst: n, entry: entry{kind: one.kind, user: author, key: one.key, text: one.text},
			attempts: []attempt{{at: moment(n), answered: moment(n)}}, acks: []id{one.id},
		})
	}
	e.truth.history(room, epoch).add(all)
	return all
}

func (e *evidence) hear(client, room string, events ...event) {
	for i := range events {
		events[i].at = moment(100 + i)
	}
	e.transcripts = append(e.transcripts, &transcript{client: client, room: room, events: events})
}

func moment(second int) time.Time { return time.Unix(1_800_000_000+int64(second), 0) }

func asks(at cursor) event { return event{kind: requested, place: at} }

func tells(state, at string) event {
	place, _ := parseCursor(at)
	return event{kind: followed, state: state, place: place}
}

func reads(after, epoch string, entries []*entry) event {
	from, _ := parseCursor(after)
	return event{kind: batch, after: from, upto: cursor{entries[len(entries)-1].id, epoch}, entries: slices.Clone(entries)}
}
