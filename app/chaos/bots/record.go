package bots

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"burble/app/chaos/check"
)

// Record collects the observations of all clients of a phase.
type Record struct {
	Pool check.Pool // has one copy of each entry

	mu          sync.Mutex
	transcripts []*check.Transcript
	sent        []*check.SentEntry
	pages       []*check.Page
	findings    []check.Finding // flaws that a client detected itself
	ends        map[string]check.SessionEnd
	resumes     []time.Duration
}

// newTranscript adds a transcript.
func (r *Record) newTranscript(client, room string) *check.Transcript {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := &check.Transcript{Client: client, Room: room}
	r.transcripts = append(r.transcripts, t)
	return t
}

// AddSent adds an append.
func (r *Record) AddSent(s *check.SentEntry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent = append(r.sent, s)
}

func (r *Record) addPage(p *check.Page) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pages = append(r.pages, p)
}

// AddFinding adds a flaw that a client detected itself.
func (r *Record) AddFinding(flaw check.Flaw, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.findings = append(r.findings, check.Finding{Flaw: flaw, Text: fmt.Sprintf(format, args...)})
}

// AddSessionEnd adds the end of the session with the token.
func (r *Record) AddSessionEnd(token string, end check.SessionEnd) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ends == nil {
		r.ends = make(map[string]check.SessionEnd)
	}
	r.ends[token] = end
}

// addResume adds the time that a client took to catch up after it reconnected.
func (r *Record) addResume(took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.resumes = append(r.resumes, took)
}

// Evidence returns the evidence for package check. The clients must have stopped.
func (r *Record) Evidence() check.Evidence {
	return check.Evidence{Transcripts: r.transcripts, Sent: r.sent, Pages: r.pages, Findings: r.findings, Ends: r.ends}
}

// Resumed returns how many times clients caught up after they reconnected.
func (r *Record) Resumed() int { return len(r.resumes) }

// Percentile returns a percentile of the resume times.
func (r *Record) Percentile(percent int) time.Duration {
	if len(r.resumes) == 0 {
		return 0
	}
	slices.Sort(r.resumes)
	return r.resumes[min(len(r.resumes)-1, len(r.resumes)*percent/100)].Round(time.Millisecond)
}
