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
)

// resources are what a server holds.
type resources struct{ goroutines, files, megabytes int }

// What an idle server may hold more of in the end than at first: connections to
// Redis that it had no need of then, and memory that is not given back yet.
const (
	spareThings    = 12
	spareMegabytes = 80
	redisMost      = 8 // connections of one server
)

var goroutines = regexp.MustCompile(`(?m)^go_goroutines (\d+)`)

func (b *burble) resources(ctx context.Context) (r resources, ok bool) {
	status, text := request(ctx, http.MethodGet, "http://"+b.addr+"/metrics", "", "")
	found := goroutines.FindSubmatch(text)
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", b.Process.Pid))
	memory, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", b.Process.Pid))
	fields := strings.Fields(string(memory))
	if status != http.StatusOK || found == nil || err != nil || len(fields) < 2 {
		return r, false
	}
	r.goroutines, _ = strconv.Atoi(string(found[1]))
	pages, _ := strconv.Atoi(fields[1])
	r.files, r.megabytes = len(files), pages*os.Getpagesize()>>20
	return r, true
}

// within says whether r is what it was, and a few spare things.
func (r resources) within(first resources, spare int) bool {
	return r.goroutines <= first.goroutines+spare && r.files <= first.files+spare &&
		(raced() || r.megabytes <= first.megabytes+spareMegabytes) // the race detector gives nothing back
}

func (r resources) String() string {
	return fmt.Sprintf("%d goroutines, %d files, %d MB", r.goroutines, r.files, r.megabytes)
}
