//go:build linux

package main

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
)

// profileVariable says where a profiled Burble serves its profiles: a Unix socket.
const profileVariable = "BENCH_PROFILE_SOCKET"

// profiled is the file that a profiled Burble has more.
const profiled = `package main

import (
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
)

func init() {
	if path := os.Getenv("` + profileVariable + `"); path != "" {
		os.Remove(path) // of the program before it started itself again
		listener, err := net.Listen("unix", path)
		if err != nil {
			panic(err)
		}
		go http.Serve(listener, nil)
	}
}
`

// profileOverlay writes what "go build -overlay" takes.
func (b *bench) profileOverlay(ctx context.Context) (string, error) {
	folder, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", "burble/app").Output()
	if err != nil {
		return "", fmt.Errorf("find the folder of burble/app: %w", err)
	}
	source, overlay := filepath.Join(b.folder, "profiled.go"), filepath.Join(b.folder, "overlay.json")
	replace := map[string]map[string]string{"Replace": {
		filepath.Join(strings.TrimSpace(string(folder)), "profiled.go"): source,
	}}
	text, err := json.Marshal(replace)
	if err == nil {
		err = os.WriteFile(source, []byte(profiled), 0o600)
	}
	if err == nil {
		err = os.WriteFile(overlay, text, 0o600)
	}
	return overlay, err
}

// profileSocket is where the Burble that is measured serves its profiles.
func (b *bench) profileSocket() string { return filepath.Join(b.folder, "profile.sock") }

// saveProfile fetches a profile of the server and keeps it under the name.
func (b *bench) saveProfile(ctx context.Context, what, name string) error {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", b.profileSocket())
	}
	client := &http.Client{Transport: &http.Transport{DialContext: dial}}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://burble/debug/pprof/"+what, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	file, err := os.Create(filepath.Join(b.profile, name+".pprof"))
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(file, response.Body)
	return err
}
