package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/redis/go-redis/v9"
)

// needRedisServer returns the path of a redis-server. Without one the test is skipped,
// but not in CI, where it would go unnoticed for ever.
func needRedisServer(t *testing.T) string {
	t.Helper()
	program := findRedisServer()
	switch {
	case program != "":
	case os.Getenv("CI") != "":
		t.Fatal("no redis-server or valkey-server on PATH")
	default:
		t.Skip("no redis-server or valkey-server on PATH")
	}
	return program
}

// testLog writes to the test's own output.
func testLog(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// mustOpenRedis opens a Redis that is closed with the test.
func mustOpenRedis(t *testing.T, cfg Config) *redisSource {
	t.Helper()
	source, err := openRedis(t.Context(), cfg, testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(source.Close)
	return source
}

// clientOf connects to a source.
func clientOf(t *testing.T, source *redisSource) redis.UniversalClient {
	t.Helper()
	options := *source.Options
	options.MaxRetries = -1
	options.DialerRetries = 1
	client := redis.NewUniversalClient(&options)
	t.Cleanup(func() { client.Close() })
	return client
}

func TestOpenRedisByUnixURL(t *testing.T) {
	needRedisServer(t)
	child := mustOpenRedis(t, Config{DataDir: t.TempDir()})
	source := mustOpenRedis(t, Config{RedisURL: "unix://" + child.Options.Addrs[0] + "?db=1"})
	if err := clientOf(t, source).Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if n, err := clientOf(t, child).Exists(t.Context(), "k").Result(); err != nil || n != 0 {
		t.Errorf("database 1 is database 0: %d, %v", n, err)
	}
}

// Without anything installed there is still a chat, whose send keys expire.
func TestOpenRedisFallsBackToMiniredis(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	source := mustOpenRedis(t, Config{DataDir: t.TempDir()})
	if !source.Miniredis || !strings.Contains(source.Describe, "vanish") {
		t.Errorf("got %+v", source)
	}
	client := clientOf(t, source)
	if err := client.Set(t.Context(), "k", "v", 20*time.Millisecond).Err(); err != nil {
		t.Fatal(err)
	}
	for client.Exists(t.Context(), "k").Val() == 1 { // ends, or the test runs into its time limit
		time.Sleep(time.Millisecond)
	}
	stranger := redis.NewClient(&redis.Options{Addr: source.Options.Addrs[0]})
	defer stranger.Close()
	if stranger.Ping(t.Context()).Err() == nil {
		t.Error("it can be used without the password")
	}
}

func TestOpenRedisSaysWhatToDoAboutACertificate(t *testing.T) {
	url := startTLSRedis(t)
	ping := func(t *testing.T, cfg Config) error {
		return clientOf(t, mustOpenRedis(t, cfg)).Ping(t.Context()).Err()
	}
	t.Run("refused, with a way out", func(t *testing.T) {
		_, err := streams.Open(t.Context(), streams.Options{Redis: mustOpenRedis(t, Config{RedisURL: url}).Options})
		if err = explainRedisError(err, url); err == nil || !strings.Contains(err.Error(), "?skip_verify=true") || !strings.Contains(err.Error(), "CA") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("unchecked on demand", func(t *testing.T) {
		if err := ping(t, Config{RedisURL: url + "?skip_verify=true"}); err != nil {
			t.Error(err)
		}
	})
	t.Run("unchecked on Heroku", func(t *testing.T) {
		cfg, err := ParseConfig(nil, env("REDIS_URL", url, "DYNO", "web.1"))
		if err != nil {
			t.Fatal(err)
		}
		if err := ping(t, cfg); err != nil {
			t.Error(err)
		}
	})
	t.Run("checked on Heroku on demand", func(t *testing.T) {
		if err := ping(t, Config{RedisURL: url + "?skip_verify=false", OnHeroku: true}); err == nil {
			t.Error("it was not")
		}
	})
}

func TestExplainRedisError(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"with advice":    {errors.New("NOAUTH Authentication required."), "redis://:password@host"},
		"without advice": {errors.New("dial tcp: no such host"), "no such host"},
	} {
		err := explainRedisError(fmt.Errorf("%w: %w", streams.ErrUnusable, test.err), "redis://:pw@h")
		if text := err.Error(); !errors.Is(err, test.err) || !strings.HasPrefix(text, "REDIS_URL: ") ||
			!strings.Contains(text, test.want) || strings.Contains(text, "pw") {
			t.Errorf("%s: %v", name, err)
		}
	}
	unusable := fmt.Errorf("%w: %w", streams.ErrUnusable, io.EOF)
	if explainRedisError(nil, "redis://h") != nil || explainRedisError(context.Canceled, "redis://h") != context.Canceled ||
		explainRedisError(unusable, "") != unusable {
		t.Error("errors that REDIS_URL did not cause are changed")
	}
}

// A Redis that speaks only TLS hangs up on who does not, and one that does not waits for
// the end of a line.
func TestOpenRedisOfTheWrongSchemeSaysWhichIsRight(t *testing.T) {
	overTLS := startTLSRedis(t)
	plain := redistest.StartTCP(t)
	for url, right := range map[string]string{
		strings.Replace(overTLS, "rediss://", "redis://", 1): "write rediss://",
		"rediss://" + plain.Redis().Addrs[0]:                 "write redis://",
	} {
		_, err := streams.Open(t.Context(), streams.Options{Redis: mustOpenRedis(t, Config{RedisURL: url}).Options})
		if err = explainRedisError(err, url); err == nil || !strings.Contains(err.Error(), right) {
			t.Errorf("%s: %v", right, err)
		}
	}
}

// startTLSRedis starts a Redis that speaks only TLS, with a certificate that it signed
// itself, as Heroku's has, and returns its URL.
func startTLSRedis(t *testing.T) string {
	program, dir := needRedisServer(t), t.TempDir()
	writeSelfSigned(t, dir)
	port := redistest.FreePort(t)
	cmd := exec.Command(program, "--port", "0", "--tls-port", fmt.Sprint(port), "--bind", "127.0.0.1", "--save", "",
		"--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem", "--tls-auth-clients", "no", "--requirepass", "pw")
	cmd.Dir, cmd.Stdout = dir, t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	address := fmt.Sprintf("127.0.0.1:%d", port)
	for {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			return "rediss://:pw@" + address
		}
		time.Sleep(time.Millisecond)
	}
}

// writeSelfSigned writes cert.pem and key.pem.
func writeSelfSigned(t *testing.T, dir string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "redis"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: cert}, "key.pem": {Type: "PRIVATE KEY", Bytes: der}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
