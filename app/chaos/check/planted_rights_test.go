package check

import (
	"slices"
	"testing"
	"time"
)

// plantedTrespasses maps descriptions to flaws in a hidden room that the checker must find.
var plantedTrespasses = map[string]struct {
	flaw  Flaw
	plant func(*Evidence)
}{
	"an entry after the removal in the same batch": {Trespass, func(e *Evidence) {
		f := e.frame("eve", 2)
		f.Upto.ID, f.Entries = ID{21, 0}, append(slices.Clone(f.Entries), e.stored("hidden", 21))
	}},
	"a batch after the room was closed": {Trespass, func(e *Evidence) {
		t := e.transcript("eve")
		late := reads("20-0@H", "H", []*Entry{e.stored("hidden", 21)})
		late.At = moment(104)
		t.Events = slices.Insert(t.Events, 4, late)
	}},
	"a removed member who is admitted": {Trespass, func(e *Evidence) {
		t := e.transcript("eve")
		admitted := follows("resumed", "20-0@H")
		admitted.At = moment(105)
		t.Events[5] = admitted
	}},
	"a stranger who is admitted": {Trespass, func(e *Evidence) {
		admitted := follows("fresh", "5-0@H")
		admitted.At = moment(101)
		e.transcript("mallory").Events[1] = admitted
	}},
	"a read that ends before the removal": {WrongEnd, func(e *Evidence) {
		f := e.frame("eve", 2)
		f.Upto.ID, f.Entries = ID{19, 0}, f.Entries[:19]
	}},
	"a removed member whose read never ends": {WrongEnd, func(e *Evidence) {
		t := e.transcript("leaver")
		t.Events = t.Events[:3]
	}},
	"an entry stored long after the sign-out": {LateEnd, func(e *Evidence) {
		end := e.Ends["token"]
		end.Replied = time.UnixMilli(10).Add(-end.Limit)
		e.Ends["token"] = end
	}},
	"a sign-out that no client requested": {WrongReply, func(e *Evidence) { delete(e.Ends, "old token") }},
	"a member who is refused": {WrongReply, func(e *Evidence) {
		e.transcript("eve").Events[7].Kind, e.transcript("eve").Events[7].Code = Refused, "not_found"
	}},
	"a change that no client requested": {Invented, func(e *Evidence) {
		e.Sent = slices.DeleteFunc(e.Sent, func(s *SentEntry) bool { return s.Entry.Key == "back" })
	}},
	"a change of another member": {Conflict, func(e *Evidence) { e.stored("hidden", 20).Member = "mallory" }},
}

func TestCheckerFindsEveryPlantedTrespass(t *testing.T) {
	for name, planted := range plantedTrespasses {
		t.Run(name, func(t *testing.T) {
			e := hiddenEvidence()
			planted.plant(e)
			if c := Run(*e); c.Count(planted.flaw) == 0 {
				t.Errorf("got findings %v, want one of %s", c.Findings, planted.flaw)
			}
		})
	}
	if c := Run(*hiddenEvidence()); len(c.Findings) > 0 {
		t.Errorf("good run: got findings %v, want none", c.Findings)
	}
}

// hiddenEvidence returns the evidence of a run without flaws in a hidden room. Entry 20 removes eve, entry 25
// adds her again, and the leaver leaves with entry 22.
func hiddenEvidence() *Evidence {
	e := goodEvidence()
	e.Ends = map[string]SessionEnd{
		"token": {moment(200), moment(200), time.Second}, "old token": {moment(103), moment(103), time.Second},
	}
	all := e.write("hidden", "H", 1, 30)
	change := func(n int, key, member, role string, at int) {
		*all[n-1] = Entry{ID: ID{uint64(n), 0}, Number: int64(n), Kind: "member", Key: key, User: "owner", Member: member, Role: role}
		s := e.Sent[len(e.Sent)-31+n]
		s.Entry = *all[n-1]
		s.Entry.ID, s.Entry.Number = ID{}, 0
		s.Author, s.First, s.Acked = "owner", moment(at), moment(at)
	}
	change(1, "first", "eve", "member", 1)
	change(2, "second", "leaver", "member", 2)
	change(20, "out", "eve", "none", 101)
	change(22, "left", "leaver", "none", 101)
	change(25, "back", "eve", "member", 106)

	refused := func(code string) Event { return Event{Kind: Refused, Code: code} }
	closed := func(code string) Event { return Event{Kind: Closed, Code: code} }
	as := func(token string, event Event) Event { event.Session = token; return event }
	e.recordAs("eve", as("token", requests(Beginning)), follows("resumed", "0-0@0"), reads("0-0@0", "H", all[:20]), closed("removed"),
		as("token", requests(Cursor{ID{20, 0}, "H"})), refused("not_found"),
		as("token", Event{Kind: Requested, Cursor: Cursor{ID{20, 0}, "H"}, At: moment(107)}), follows("resumed", "20-0@H"), reads("20-0@H", "H", all[20:]))
	e.recordAs("leaver", requests(Beginning), follows("resumed", "0-0@0"), reads("0-0@0", "H", all[:22]), closed("removed"))
	lost := &Entry{ID: ID{110, 7}, Kind: "message", Key: "branch", Text: "lost"} // stored by an old primary when the new one already had the removal
	e.recordAs("leaver", requests(Beginning), follows("resumed", "0-0@0"), reads("0-0@0", "H", append(slices.Clone(all[:21]), lost)), closed("removed"))
	e.recordAs("mallory", Event{Kind: Requested, Fresh: true}, refused("not_found"))
	e.recordAs("eve", as("old token", requests(Beginning)), follows("resumed", "0-0@0"), reads("0-0@0", "H", all[:10]), closed("signed_out"),
		as("token", Event{Kind: Requested, Cursor: Cursor{ID{10, 0}, "H"}, At: moment(107)}), follows("resumed", "10-0@H"), reads("10-0@H", "H", all[10:]))
	return e
}

// recordAs records the events of a client whose name is the ID of its account, one per second. The first event
// whose time is set, to any value, and all events after it are 50 s later.
func (e *Evidence) recordAs(client string, events ...Event) {
	shift := 0
	for i := range events {
		if !events[i].At.IsZero() {
			shift = 50
		}
		events[i].At = moment(100 + i + shift)
	}
	e.Transcripts = append(e.Transcripts, &Transcript{Client: client, Room: "hidden", Account: client, Events: events})
}
