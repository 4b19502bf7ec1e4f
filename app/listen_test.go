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

// listenOnFreePort listens on a free port of 127.0.0.1 until the test ends, and returns the port.
func listenOnFreePort(t *testing.T) (port int) {
	t.Helper()
	port = redistest.FreePort(t)
	listener, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return port
}

func TestTakenPortIsReportedBeforeRedisStarts(t *testing.T) {
	t.Parallel()
	config := Config{Port: listenOnFreePort(t), Listen: "127.0.0.1", DataDir: filepath.Join(t.TempDir(), "data")}
	var logs bytes.Buffer
	err := run(t.Context(), config, slog.New(slog.NewTextHandler(&logs, nil)))
	if err == nil || !strings.Contains(err.Error(), "PORT") || !strings.Contains(err.Error(), strconv.Itoa(config.Port)) {
		t.Fatalf("error %v, want one that names PORT and its value", err)
	}
	suggested := regexp.MustCompile(`set PORT=(\d+)`).FindStringSubmatch(err.Error())
	if suggested == nil {
		t.Fatalf("%v does not suggest another port", err)
	}
	if config.Port, err = strconv.Atoi(suggested[1]); err != nil {
		t.Fatal(err)
	}
	if err := checkPort(config); err != nil {
		t.Errorf("the suggested port is not free: %v", err)
	}
	if _, err := os.Stat(config.DataDir); !os.IsNotExist(err) || strings.Contains(logs.String(), "Redis") {
		t.Errorf("Redis was started, want an error before that: %v\n%s", err, &logs)
	}
}

func TestListenErrorNamesListen(t *testing.T) {
	t.Parallel()
	err := run(t.Context(), Config{Listen: "192.0.2.1"}, testLog(t)) // reserved for documentation (RFC 5737)
	if err == nil || !strings.Contains(err.Error(), "LISTEN") {
		t.Errorf("error %v, want one that names LISTEN", err)
	}
}

// A client that can reach the port directly, without the proxy, could forge the proxy's headers.
func TestListenRestrictsServerToAddress(t *testing.T) {
	t.Parallel()
	config, err := ParseConfig(nil, env("PORT", "0", "LISTEN", "127.0.0.1", "REDIS_URL", "unix://"+redistest.Start(t).Addr))
	if err != nil {
		t.Fatal(err)
	}
	url := startRun(t, config)
	port := url[strings.LastIndex(url, ":")+1:]
	if url != "http://127.0.0.1:"+port {
		t.Errorf("the log shows %s, want http://127.0.0.1:%s", url, port)
	}
	for _, addr := range []string{"127.0.0.1", "127.0.0.2"} {
		conn, err := net.Dial("tcp", net.JoinHostPort(addr, port))
		if err == nil {
			conn.Close()
		}
		if (err == nil) != (addr == config.Listen) {
			t.Errorf("connecting to %s: got error %v, want success only for %s", addr, err, config.Listen)
		}
	}
}

// startRun runs the server until the test ends. It returns the URL from the server's log.
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
