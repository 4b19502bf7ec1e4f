package chaos

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"burble/app/chaos/check"
)

// record collects what all clients of a phase observed.
type record struct {
	pool check.Pool

	mu          sync.Mutex
	transcripts []*check.Transcript
	sent        []*check.Sent
	pages       []*check.Page
	findings    []check.Finding // flaws that a client detected itself
	resumes     []time.Duration
	faults      map[string]int
}

// newTranscript adds a transcript.
func (r *record) newTranscript(client, room string) *check.Transcript {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := &check.Transcript{Client: client, Room: room}
	r.transcripts = append(r.transcripts, t)
	return t
}

func (r *record) addSent(s *check.Sent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent = append(r.sent, s)
}

func (r *record) addPage(p *check.Page) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pages = append(r.pages, p)
}

// find adds a flaw that a client detected itself.
func (r *record) find(flaw check.Flaw, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.findings = append(r.findings, check.Finding{Flaw: flaw, Text: fmt.Sprintf(format, args...)})
}

// addResume adds how long a client took to catch up after it came back.
func (r *record) addResume(took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.resumes = append(r.resumes, took)
}

func (r *record) addFault(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.faults == nil {
		r.faults = make(map[string]int)
	}
	r.faults[name]++
}

// percentile returns the resume time that percent of all did not exceed.
func (r *record) percentile(percent int) time.Duration {
	if len(r.resumes) == 0 {
		return 0
	}
	slices.Sort(r.resumes)
	return r.resumes[min(len(r.resumes)-1, len(r.resumes)*percent/100)].Round(time.Millisecond)
}
