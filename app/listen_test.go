package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"burble/streams/redistest"
)

// occupy listens on a port of 127.0.0.1 until the test ends.
func occupy(t *testing.T) (port int) {
	t.Helper()
	port = redistest.FreePort(t)
	listener, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return port
}

func TestTakenPortIsNoticedBeforeRedisIsStarted(t *testing.T) {
	t.Parallel()
	config := Config{Port: occupy(t), Listen: "127.0.0.1", DataDir: filepath.Join(t.TempDir(), "data")}
	var logs bytes.Buffer
	err := run(t.Context(), config, slog.New(slog.NewTextHandler(&logs, nil)))
	if err == nil || !strings.Contains(err.Error(), "PORT") || !strings.Contains(err.Error(), strconv.Itoa(config.Port)) {
		t.Fatalf("got %v", err)
	}
	suggested := regexp.MustCompile(`set PORT=(\d+)`).FindStringSubmatch(err.Error())
	if suggested == nil {
		t.Fatalf("%v suggests no other port", err)
	}
	if config.Port, err = strconv.Atoi(suggested[1]); err != nil {
		t.Fatal(err)
	}
	if err := checkPort(config); err != nil {
		t.Errorf("the suggested port: %v", err)
	}
	if _, err := os.Stat(config.DataDir); !os.IsNotExist(err) || logs.Len() > 0 {
		t.Errorf("Redis was started: %v\n%s", err, &logs)
	}
}

func TestListenIsAnAddressOfThisMachine(t *testing.T) {
	t.Parallel()
	err := run(t.Context(), Config{Listen: "192.0.2.1"}, testLog(t)) // RFC 5737: for documentation
	if err == nil || !strings.Contains(err.Error(), "LISTEN") {
		t.Errorf("got %v", err)
	}
}

// Whoever reaches the port past the proxy could forge the proxy's headers.
func TestListenRestrictsTheServerToTheAddress(t *testing.T) {
	t.Parallel()
	config, err := ParseConfig(nil, env("PORT", "0", "LISTEN", "127.0.0.1", "REDIS_URL", "unix://"+redistest.Start(t).Addr))
	if err != nil {
		t.Fatal(err)
	}
	url := startRun(t, config)
	port := url[strings.LastIndex(url, ":")+1:]
	if url != "http://127.0.0.1:"+port {
		t.Errorf("the log has %s", url)
	}
	for _, addr := range []string{"127.0.0.1", "127.0.0.2"} {
		conn, err := net.Dial("tcp", net.JoinHostPort(addr, port))
		if err == nil {
			conn.Close()
		}
		if (err == nil) != (addr == config.Listen) {
			t.Errorf("connect to %s: %v", addr, err)
		}
	}
}

// startRun runs the server until the test ends, and returns the URL that it logs.
func startRun(t *testing.T, config Config) (url string) {
	t.Helper()
	listening := make(listeningLog, 1)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, config, slog.New(listening)) }()
	select {
	case url = <-listening:
	case err := <-ended:
		t.Fatal(fmt.Errorf("run: %w", err))
	}
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return url
}
