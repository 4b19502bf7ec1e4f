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
	"path/filepath"
	"strings"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/redistest"
)

// testLog returns a logger that writes to the output of the test.
func testLog(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// mustOpenRedis calls openRedis and closes the result when the test ends.
func mustOpenRedis(t *testing.T, config Config) *redisSource {
	t.Helper()
	source, err := openRedis(t.Context(), config, testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(source.Close)
	return source
}

func TestOpenRedisFromUnixURL(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	source := mustOpenRedis(t, Config{RedisURL: "unix://" + server.Addr + "?db=1"})
	if err := redistest.Connect(t, source.Address).Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	zero := server.Client()
	defer zero.Close()
	if n, err := zero.Exists(t.Context(), "k").Result(); err != nil || n != 0 {
		t.Errorf("got %d keys, %v in database 0, want 0: the URL names database 1", n, err)
	}
}

// Without an installed Redis, Burble must still work, but keep only the newest entries of each room, in memory.
func TestOpenRedisFallsBackToMiniredis(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	config := Config{DataDir: t.TempDir(), HistoryMaxCount: 1_000_000}
	source := mustOpenRedis(t, config)
	if !source.InProcess || !strings.Contains(source.Description, "lost") {
		t.Errorf("got %+v, want a Redis in this process whose description warns that data will be lost", source)
	}
	if got := storeOptions(config, source, testLog(t)).MaxCount; got != miniredisCount {
		t.Errorf("MaxCount is %d, want %d", got, miniredisCount)
	}
	if err := redistest.Connect(t, source.Address).Ping(t.Context()).Err(); err != nil {
		t.Error(err)
	}
}

func TestOpenRedisPassesDurabilityToChild(t *testing.T) {
	t.Parallel()
	redistest.Start(t) // skips the test if no Redis is installed
	for durability, want := range map[streams.Durability]string{streams.Memory: "everysec", streams.Disk: "always"} {
		client := redistest.Connect(t, mustOpenRedis(t, Config{DataDir: t.TempDir(), Durability: durability}).Address)
		if got, err := client.ConfigGet(t.Context(), "appendfsync").Result(); err != nil || got["appendfsync"] != want {
			t.Errorf("%s: appendfsync is %v, %v; want %s", durability, got, err, want)
		}
	}
}

func TestOpenRedisNamesDataDirInErrors(t *testing.T) {
	t.Parallel()
	redistest.Start(t) // skips the test if no Redis is installed
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := openRedis(t.Context(), Config{DataDir: file}, testLog(t))
	if err == nil || !strings.Contains(err.Error(), "DATA_DIR") || !strings.Contains(err.Error(), file) {
		t.Errorf("a data directory that is a file: got %v, want an error that names DATA_DIR and the file", err)
	}
}

func TestUntrustedRedisCertificate(t *testing.T) {
	t.Parallel()
	url := startTLSRedis(t)
	ping := func(t *testing.T, config Config) error {
		return redistest.Connect(t, mustOpenRedis(t, config).Address).Ping(t.Context()).Err()
	}
	t.Run("refused with advice", func(t *testing.T) {
		_, err := streams.Open(t.Context(), streams.Options{Redis: mustOpenRedis(t, Config{RedisURL: url}).Address})
		if err = explainRedisError(err, url); err == nil || !strings.Contains(err.Error(), "?skip_verify=true") || !strings.Contains(err.Error(), "CA") {
			t.Errorf("error %v, want advice to set ?skip_verify=true or to install the CA", err)
		}
	})
	t.Run("accepted on request", func(t *testing.T) {
		if err := ping(t, Config{RedisURL: url + "?skip_verify=true"}); err != nil {
			t.Error(err)
		}
	})
	t.Run("accepted on Heroku", func(t *testing.T) {
		config, err := ParseConfig(nil, env("REDIS_URL", url, "DYNO", "web.1"))
		if err != nil {
			t.Fatal(err)
		}
		if err := ping(t, config); err != nil {
			t.Error(err)
		}
	})
	t.Run("refused on Heroku on request", func(t *testing.T) {
		if err := ping(t, Config{RedisURL: url + "?skip_verify=false", OnHeroku: true}); err == nil {
			t.Error("the certificate was accepted")
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
			t.Errorf("%s: got %v, want an error that contains %q but not the password", name, err, test.want)
		}
	}
	unusable := fmt.Errorf("%w: %w", streams.ErrUnusable, io.EOF)
	if explainRedisError(nil, "redis://h") != nil || explainRedisError(context.Canceled, "redis://h") != context.Canceled ||
		explainRedisError(unusable, "") != unusable {
		t.Error("an error that REDIS_URL did not cause was changed")
	}
}

// A Redis with TLS closes connections without TLS. A Redis without TLS treats the start of a TLS
// handshake as an incomplete command and waits for the rest.
func TestErrorForWrongRedisSchemeNamesRightOne(t *testing.T) {
	t.Parallel()
	withTLS := startTLSRedis(t)
	plain := redistest.StartTCP(t)
	for url, want := range map[string]string{
		strings.Replace(withTLS, "rediss://", "redis://", 1): "write rediss://",
		"rediss://" + plain.Redis().Addrs[0]:                 "write redis://",
	} {
		_, err := streams.Open(t.Context(), streams.Options{Redis: mustOpenRedis(t, Config{RedisURL: url}).Address})
		if err = explainRedisError(err, url); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v, want advice to %s", url, err, want)
		}
	}
}

// startTLSRedis starts a Redis whose port accepts only TLS, with a self-signed certificate as on
// Heroku, and returns its URL.
func startTLSRedis(t *testing.T) string {
	dir, port := t.TempDir(), fmt.Sprint(redistest.FreePort(t))
	writeSelfSigned(t, dir)
	server := redistest.Start(t, "--tls-port", port, "--bind", "127.0.0.1", "--tls-auth-clients", "no",
		"--tls-cert-file", filepath.Join(dir, "cert.pem"), "--tls-key-file", filepath.Join(dir, "key.pem"))
	client := server.Client()
	defer client.Close()
	if err := client.ConfigSet(t.Context(), "requirepass", "pw").Err(); err != nil {
		t.Fatal(err)
	}
	return "rediss://:pw@127.0.0.1:" + port
}

// writeSelfSigned writes a self-signed certificate for 127.0.0.1 to cert.pem and key.pem.
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
