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

// resources are the resources that a server uses.
type resources struct{ goroutines, files, megabytes int }

// Limits for an idle server after the run. It may use more than before the run, because it may have
// opened more connections to Redis, and the runtime may not have returned all memory to the system.
const (
	spareResources = 12 // more goroutines than before, and more files
	spareMegabytes = 80 // more memory
	maxConnections = 8  // from one server to one Redis
)

var goroutines = regexp.MustCompile(`(?m)^go_goroutines (\d+)`)

// resources returns the resources of the server. ok is false if it does not respond.
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

// fits reports whether r exceeds first by no more than spare goroutines, spare files and spareMegabytes.
func (r resources) fits(first resources, spare int) bool {
	return r.goroutines <= first.goroutines+spare && r.files <= first.files+spare &&
		(apptest.HasRaceDetector() || r.megabytes <= first.megabytes+spareMegabytes) // with the race detector, the runtime returns no memory
}

func (r resources) String() string {
	return fmt.Sprintf("%d goroutines, %d files, %d MB", r.goroutines, r.files, r.megabytes)
}
