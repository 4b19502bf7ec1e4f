package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"burble/streams"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// redisSource is the Redis that Burble uses: where it is, and who owns it.
type redisSource struct {
	// Options say where Redis is and who we are to it, nothing else: how many
	// connections and which timeouts is for package streams to decide.
	Options *redis.UniversalOptions

	// Describe is one line for the log. It never holds a password.
	Describe string

	// Miniredis says that it is the imitation, whose data goes with the process.
	Miniredis bool

	// Close ends what openRedis started, after the last use of Options. It waits
	// until a child has saved everything. It may be called more than once.
	Close func()
}

// openRedis finds a Redis: the one in REDIS_URL; else a redis-server or valkey-server
// on PATH, started as a child that keeps its data in DATA_DIR; else an imitation in
// this process. The child and the imitation answer when openRedis returns; whether
// REDIS_URL does is for the caller to see.
//
// ctx bounds the start only. What was started lives until Close.
func openRedis(ctx context.Context, cfg Config, log *slog.Logger) (*redisSource, error) {
	if cfg.RedisURL != "" {
		options, describe, err := parseRedisURL(cfg.RedisURL, cfg.OnHeroku)
		if err != nil {
			return nil, fmt.Errorf("REDIS_URL: %w", err)
		}
		return &redisSource{Options: options, Describe: describe, Close: func() {}}, nil
	}
	if program := findRedisServer(); program != "" {
		return openChildRedis(ctx, program, cfg, log)
	}
	log.Warn("no REDIS_URL, and no redis-server or valkey-server on PATH: messages are kept in this process and vanish with it")
	return openMiniredis()
}

// openMiniredis starts the imitation. It listens on a port of this machine, where
// anybody who is logged in could find it, hence the password.
func openMiniredis() (*redisSource, error) {
	server := miniredis.NewMiniRedis()
	password := rand.Text()
	server.RequireAuth(password)
	if err := server.Start(); err != nil {
		return nil, fmt.Errorf("start miniredis: %w", err)
	}
	server.ClockTTL(true) // made for tests, it lets no key expire by itself
	return &redisSource{
		Options:   &redis.UniversalOptions{Addrs: []string{server.Addr()}, Password: password},
		Describe:  "miniredis in this process: messages vanish with it",
		Miniredis: true,
		Close:     server.Close,
	}, nil
}

// explainRedisError adds to an error of the first connection what the deployer can
// do about it, where the error by itself would send them searching. url is REDIS_URL,
// of which nothing is told.
func explainRedisError(err error, url string) error {
	if url == "" || !errors.Is(err, streams.ErrUnusable) {
		return err
	}
	if advice := redisAdvice(err, strings.HasPrefix(url, "rediss")); advice != "" {
		return fmt.Errorf("REDIS_URL: %w (%s)", err, advice)
	}
	return fmt.Errorf("REDIS_URL: %w", err)
}

// redisAdvice is what there is to do about the error, if that can be told from it.
func redisAdvice(err error, overTLS bool) string {
	var notTLS tls.RecordHeaderError
	text := err.Error()
	switch {
	case isCertificateError(err):
		return "the certificate of Redis is not trusted here; install the CA that signed it, or append ?skip_verify=true to use it unchecked"
	case errors.As(err, &notTLS):
		return "Redis does not speak TLS there; write redis:// instead of rediss://"
	case overTLS && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)):
		return "if Redis does not speak TLS there, write redis:// instead of rediss://"
	case !overTLS && errors.Is(err, io.EOF):
		return "if Redis speaks TLS only, write rediss:// instead of redis://"
	case strings.Contains(text, "MOVED "), strings.Contains(text, "CROSSSLOT "):
		return "it is a Cluster; append ?cluster=true"
	case strings.Contains(text, "cluster support disabled"):
		return "it is no Cluster; give one URL, without ?cluster=true"
	case strings.Contains(text, "NOAUTH "), strings.Contains(text, "WRONGPASS "):
		return "write redis://:password@host, or redis://user:password@host where Redis has users"
	case strings.Contains(text, "NOPERM "), strings.Contains(text, "can't run this command"):
		return "streams/README.md says which rights the user needs, and on which keys"
	}
	return ""
}

// isCertificateError tells a certificate that was refused from all that can go wrong
// besides.
func isCertificateError(err error) bool {
	var refused *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var otherHost x509.HostnameError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &refused) || errors.As(err, &unknown) || errors.As(err, &otherHost) || errors.As(err, &invalid)
}
