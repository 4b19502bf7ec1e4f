//go:build unix

package chaos

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"burble/streams/redistest"
)

// options say what a run is like.
type options struct {
	seed              uint64
	length            time.Duration
	redis, durability string
	servers           int
	crowd             int           // how many come back at once
	pause             int           // an author's longest pause, in milliseconds
	plain             bool          // authors send messages only
	faithful          bool          // authors never give up
	patience          time.Duration // how long everybody may take to have everything, before it is said that they never will
	only              string        // faults with this in their name
	program           string        // already built
	logs              string        // folder for what the servers write; "": a temporary one
	env               []string      // more for the servers
}

// world is what a run happens in: servers, Redis, clients.
type world struct {
	t         testing.TB
	options   options
	program   string
	logs      string   // folder
	diary     *os.File // of the faults, among the logs
	backend   backend
	slots     []*slot
	token     string          // of those who read
	life      context.Context // ends with the test
	flushes   bool            // in this act Redis is emptied
	acts      int
	record    *record
	followers []*follower
	calmed    chan struct{} // closed when all faults are mended

	mu     sync.Mutex
	truth  truth
	branch map[string][]*entry // what an old primary held that was let go, by room
	doubts []*[2]time.Time     // when two primaries were possible
}

// calmRooms are the rooms of an act from which nothing is taken.
func (w *world) calmRooms() []string {
	return []string{w.room("lobby"), w.room("dev"), w.room("a-room")}
}

// rooms are all rooms of an act: also two that the harness takes from.
func (w *world) rooms() []string { return append(w.calmRooms(), w.room("trimmed"), w.room("deleted")) }

// room is a room of this act: each has its own.
func (w *world) room(name string) string { return fmt.Sprint(name, "-", w.acts) }

// destroys says whether there are faults that take from the room.
func (w *world) destroys(room string) bool { return w.flushes || !slices.Contains(w.calmRooms(), room) }

func newWorld(t testing.TB, o options) *world {
	w := &world{t: t, options: o, program: o.program, logs: cmp.Or(o.logs, t.TempDir())}
	var err error
	if w.diary, err = os.Create(filepath.Join(w.logs, "faults.txt")); err != nil {
		t.Fatal(err)
	}
	life, end := context.WithCancel(context.Background())
	w.life = life
	w.backend = startBackend(t, o, "--logfile", filepath.Join(w.logs, "redis.txt"))
	if w.program == "" {
		w.program = build(t, fmt.Sprint("-race=", raced()))
	}
	for i := range o.servers {
		w.slots = append(w.slots, &slot{index: i, edge: redistest.StartProxy(t, "")})
	}
	w.begin()
	for _, s := range w.slots {
		w.launch(w.life, s)
	}
	t.Cleanup(func() {
		end()
		w.diary.Close()
		for _, s := range w.slots {
			if s.burble != nil {
				s.burble.kill()
			}
		}
		for _, crash := range w.crashed() {
			t.Errorf("a server crashed:\n%s", crash)
		}
	})
	reader, err := w.newAuthor(w.life, "reader", false)
	if err != nil {
		t.Fatal(err)
	}
	w.token = reader.token
	for _, s := range w.slots {
		s.first, _ = s.burble.resources(w.life)
	}
	return w
}

func startBackend(t testing.TB, o options, args ...string) backend {
	switch o.redis + " " + o.durability {
	case "single memory", "single disk":
		return startSingle(t, o.durability, o.servers, args...)
	case "sentinel memory", "sentinel replica":
		return startSentinel(t, o.durability, args...)
	case "cluster memory", "cluster replica":
		return startCluster(t, o.durability, args...)
	}
	t.Fatalf("-redis is single (with -durability memory or disk), sentinel or cluster (memory or replica), not %s with %s", o.redis, o.durability)
	return nil
}

// begin forgets what an earlier act left.
func (w *world) begin() {
	w.acts++
	w.record, w.truth, w.followers, w.calmed = &record{}, make(truth), nil, make(chan struct{})
}

func (w *world) isCalm() bool {
	select {
	case <-w.calmed:
		return true
	default:
		return false
	}
}

// stream is the seed's chance for one purpose.
func (w *world) stream(purpose string) *rand.Rand { return stream(w.options.seed, purpose) }

// edge is the address of one of the servers.
func (w *world) edge(random *rand.Rand) string { return w.slots[random.IntN(len(w.slots))].edge.Addr }

func (w *world) wait(ctx context.Context, length time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(length):
	}
}

// rest waits too, but not when all is calm again.
func (w *world) rest(ctx context.Context, length time.Duration) {
	select {
	case <-ctx.Done():
	case <-w.calmed:
	case <-time.After(length):
	}
}

// act lets clients talk while harm is done, and then sees who has what.
func (w *world) act(harm func()) *outcome {
	w.begin()
	clients, leave := context.WithCancel(w.life)
	defer leave()
	var following, talking sync.WaitGroup
	for _, f := range w.people() {
		w.followers = append(w.followers, f)
		following.Go(func() { f.run(clients) })
	}
	for i := range 8 {
		author, err := w.newAuthor(w.life, fmt.Sprintf("author %d", i), i%3 > 0, w.rooms()...)
		if err != nil {
			w.t.Fatal(err)
		}
		talking.Go(func() { author.run(clients) })
	}
	harm()
	w.backend.awaitWhole()
	mended := time.Now()
	close(w.calmed)
	given := time.AfterFunc(w.options.patience, leave)
	talking.Wait()
	w.lastWords(clients)
	w.converge(clients)
	o := &outcome{record: w.record, converged: time.Since(mended)}
	given.Stop()
	leave()
	following.Wait()
	for _, room := range w.rooms() {
		w.witness(room, nil)
	}
	w.part()
	o.checker = check(evidence{
		truth: w.truth, transcripts: w.record.transcripts, sent: w.record.all, pages: w.record.pages, strange: w.record.strange,
		mayPart: w.doubtful, mayLose: w.mayLose,
	})
	return o
}

// people are the followers of an act: some steady, some restless, in every way there is.
func (w *world) people() (all []*follower) {
	for i := range 3 {
		all = append(all, w.newFollower(fmt.Sprint("steady ", i), "websocket", false, w.rooms()...))
	}
	for i := range 6 {
		all = append(all, w.newFollower(fmt.Sprint("restless ", i), "websocket", true, w.rooms()...))
	}
	for i, way := range []string{"sse", "ndjson"} {
		for j, room := range []string{w.calmRooms()[i], w.room("trimmed"), w.room("deleted")} {
			all = append(all, w.newFollower(fmt.Sprint(way, " ", j), way, j > 0, room))
		}
	}
	return all
}

// harm lets the faults happen, each lane by itself, until all are mended.
func (w *world) harm(length time.Duration, faults []fault) {
	ctx, mend := context.WithTimeout(w.life, length)
	defer mend()
	began := time.Now()
	targets := map[lane]int{
		serverLane: len(w.slots), edgeLane: len(w.slots), linkLane: len(w.backend.networks()), redisLane: 1, crowdLane: 1,
	}
	var lanes sync.WaitGroup
	for i, lane := range schedule(w.options.seed, length, faults, targets) {
		lanes.Go(func() {
			random := w.stream(fmt.Sprint("lane ", i))
			for _, next := range lane {
				w.wait(ctx, time.Until(began.Add(next.at)))
				if ctx.Err() != nil {
					return
				}
				from := time.Now()
				next.fault.do(&blow{w, next.target, next.lasts, random, ctx})
				w.record.fault(next.fault.name)
				fmt.Fprintf(w.diary, "%s to %s: %s (%d)\n", from.UTC().Format("15:04:05.000"), time.Now().UTC().Format("15:04:05.000"), next.fault.name, next.target)
			}
		})
	}
	lanes.Wait()
	<-ctx.Done()
}

// lastWords says something in each room. A room that was emptied is noticed by then.
func (w *world) lastWords(ctx context.Context) {
	author, err := w.newAuthor(ctx, "the last", false)
	if err != nil {
		w.record.odd(behind, "a server does not answer when all is mended: %v", err)
		return
	}
	for _, room := range w.rooms() {
		author.rooms = []string{room}
		author.burst(ctx)
	}
}

// converge waits until everybody is at the end of every room.
func (w *world) converge(ctx context.Context) {
	for ctx.Err() == nil {
		ends := w.ends()
		if !slices.ContainsFunc(w.followers, func(f *follower) bool { return !f.isAt(ends) }) {
			return
		}
		w.wait(ctx, 20*time.Millisecond)
	}
}

// isAt says whether the follower is at the ends of its rooms.
func (f *follower) isAt(ends map[string]id) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, room := range f.rooms {
		if f.places[room].id != ends[room] {
			return false
		}
	}
	return true
}
