//go:build unix

package chaos

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"

	"burble/app/apptest"
	"burble/app/chaos/bots"
)

// resources are what a server holds.
type resources struct{ goroutines, files, megabytes int }

// Bounds of what an idle server may hold more after the run than before: connections to
// Redis that it had not needed yet, and memory that the runtime has not returned yet.
const (
	spareResources = 12
	spareMegabytes = 80
	maxConnections = 8 // of one server to Redis
)

var goroutines = regexp.MustCompile(`(?m)^go_goroutines (\d+)`)

// resources returns what the server holds; ok is false if it does not answer.
func (p *process) resources(ctx context.Context) (r resources, ok bool) {
	response, err := bots.ServerAt(p.addr, "").Do(ctx, http.MethodGet, "/metrics", "")
	if err != nil || response.Status != http.StatusOK {
		return r, false
	}
	found := goroutines.FindSubmatch(response.Body)
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.Process.Pid))
	memory, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.Process.Pid))
	fields := strings.Fields(string(memory))
	if found == nil || err != nil || len(fields) < 2 {
		return r, false
	}
	r.goroutines, _ = strconv.Atoi(string(found[1]))
	pages, _ := strconv.Atoi(fields[1])
	r.files, r.megabytes = len(files), pages*os.Getpagesize()>>20
	return r, true
}

// within reports whether r exceeds first by no more than the spare amounts.
func (r resources) fits(first resources, spare int) bool {
	return r.goroutines <= first.goroutines+spare && r.files <= first.files+spare &&
		(apptest.Race() || r.megabytes <= first.megabytes+spareMegabytes) // the race detector returns no memory
}

func (r resources) String() string {
	return fmt.Sprintf("%d goroutines, %d files, %d MB", r.goroutines, r.files, r.megabytes)
}
