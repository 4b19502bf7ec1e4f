package chaos

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// record is what all clients of a run write down.
type record struct {
	pool pool

	mu          sync.Mutex
	transcripts []*transcript
	all         []*sent
	pages       []*page
	strange     []finding
	resumes     []time.Duration
	faults      map[string]int
}

func (r *record) transcript(client, room string) *transcript {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := &transcript{client: client, room: room}
	r.transcripts = append(r.transcripts, t)
	return t
}

func (t *transcript) add(e event) { t.events = append(t.events, e) }

func (r *record) send(s *sent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, s)
}

func (r *record) page(p *page) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pages = append(r.pages, p)
}

// odd notes what a client saw at once to be wrong.
func (r *record) odd(flaw flaw, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.strange = append(r.strange, finding{flaw, fmt.Sprintf(format, args...)})
}

func (r *record) resumed(took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.resumes = append(r.resumes, took)
}

func (r *record) fault(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.faults == nil {
		r.faults = make(map[string]int)
	}
	r.faults[name]++
}

// percentile is the resume time that so many of a hundred were not slower than.
func (r *record) percentile(of int) time.Duration {
	if len(r.resumes) == 0 {
		return 0
	}
	slices.Sort(r.resumes)
	return r.resumes[min(len(r.resumes)-1, len(r.resumes)*of/100)].Round(time.Millisecond)
}
