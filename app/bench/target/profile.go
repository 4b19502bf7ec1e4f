//go:build linux

package target

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// profileVariable names the Unix socket on which a profiled Burble serves its profiles.
const profileVariable = "BENCH_PROFILE_SOCKET"

// profileSource is the file that is added to a profiled Burble.
const profileSource = `package main

import (
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
)

func init() {
	if path := os.Getenv("` + profileVariable + `"); path != "" {
		os.Remove(path) // left from before the program re-executed itself
		listener, err := net.Listen("unix", path)
		if err != nil {
			panic(err)
		}
		go http.Serve(listener, nil)
	}
}
`

// writeProfileOverlay writes profileSource, and the overlay file that adds it to the build.
func (b *Burble) writeProfileOverlay(ctx context.Context) (path string, err error) {
	folder, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", "burble/app").Output()
	if err != nil {
		return "", fmt.Errorf("find the folder of burble/app: %w", err)
	}
	source, overlay := filepath.Join(b.Folder, "profiled.go"), filepath.Join(b.Folder, "overlay.json")
	replace := map[string]map[string]string{"Replace": {
		filepath.Join(strings.TrimSpace(string(folder)), "profiled.go"): source,
	}}
	text, err := json.Marshal(replace)
	if err == nil {
		err = os.WriteFile(source, []byte(profileSource), 0o600)
	}
	if err == nil {
		err = os.WriteFile(overlay, text, 0o600)
	}
	return overlay, err
}

func (b *Burble) profileSocket() string { return filepath.Join(b.Folder, "profile.sock") }

// StartProfiles takes a CPU profile of the running Burble for the duration. The returned function
// waits for it, and then takes the memory and goroutine profiles. The names of the files start with
// name. If b.Profiles is empty, StartProfiles does nothing.
func (b *Burble) StartProfiles(ctx context.Context, name string, duration time.Duration) (finish func() error) {
	if b.Profiles == "" {
		return func() error { return nil }
	}
	saved := make(chan error, 1)
	go func() {
		saved <- b.saveProfile(ctx, fmt.Sprintf("profile?seconds=%d", max(1, int(duration.Seconds()))), name+"cpu")
	}()
	return func() error {
		err := <-saved
		for kind, query := range map[string]string{"heap": "heap?gc=1", "memory": "heap?debug=1", "goroutine": "goroutine?debug=1"} {
			if err == nil {
				err = b.saveProfile(ctx, query, name+kind)
			}
		}
		return err
	}
}

// saveProfile writes a profile of the running Burble, from /debug/pprof/<query>, to <name>.pprof.
func (b *Burble) saveProfile(ctx context.Context, query, name string) error {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", b.profileSocket())
	}
	client := &http.Client{Transport: &http.Transport{DialContext: dial}}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://burble/debug/pprof/"+query, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	file, err := os.Create(filepath.Join(b.Profiles, name+".pprof"))
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(file, response.Body)
	return err
}
