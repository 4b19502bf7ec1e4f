package main

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"burble/app/redisurl"
	"burble/streams"
)

// maxTimerSlack keeps timers useful.
const maxTimerSlack = 100 * time.Millisecond

// variable is one thing that can be configured: an environment variable and the
// flag of the same name.
type variable struct {
	Name    string
	Default string // the value when none is given
	Absent  string // what an empty Default means, in words
	Use     string // one line, in Markdown, for -help and the README
	Secret  bool   // the value must never be printed

	// set puts the value into the Config. Its error says what is allowed, as the
	// end of a sentence that begins "must be".
	set func(cfg *Config, value string) error
}

// variables is the one list of what can be configured. The flags, -help, and (by a
// test) the table in the README come from it.
var variables = []variable{
	{Name: "PORT", Default: "8080", Use: "port to listen on, on all interfaces; `0`: any free one", set: setPort},
	{Name: "REDIS_URL", Absent: "none", Secret: true, Use: "`redis://`, `rediss://`, `unix://`; several with commas: Cluster; `redis-sentinel://`: Sentinel", set: setRedisURL},
	{Name: "REDIS_PREFIX", Absent: "none", Use: "stands before every key, so that several applications can share a Redis", set: setRedisPrefix},
	{Name: "DATA_DIR", Default: "data", Use: "where the Redis that Burble starts itself keeps its data", set: func(cfg *Config, value string) error { cfg.DataDir = value; return nil }},
	{Name: "SECRET", Absent: "made once, kept in Redis", Secret: true, Use: "signs cookies and tokens; at least 16 characters", set: setSecret},
	{Name: "ORIGINS", Absent: "same host", Use: "more origins whose pages may connect, such as `https://chat.example.org`, with commas", set: setOrigins},
	{Name: "TRUSTED_PROXY", Default: proxyNone, Use: "`fly`, `heroku` or `none`: whose word is taken for a client's address", set: oneOf(func(cfg *Config) *string { return &cfg.TrustedProxy }, proxyNone, proxyFly, proxyHeroku)},
	{Name: "HISTORY_MAX_COUNT", Default: "0", Use: "entries kept in each room; `0`: all", set: setHistoryMaxCount},
	{Name: "HISTORY_MAX_AGE", Default: "0", Use: "how long entries are kept, such as `36h` or `30d`; `0`: for ever", set: setHistoryMaxAge},
	{Name: "DURABILITY", Default: string(streams.Memory), Use: "when a message counts as stored: Redis has it (`memory`), a replica too (`replica`), it is on disk (`disk`)", set: oneOf(func(cfg *Config) *streams.Durability { return &cfg.Durability }, streams.Memory, streams.Replica, streams.Disk)},
	{Name: "RATE_MESSAGES", Default: "5", Use: "messages a second per user, in bursts of 4 times as many; `0`: no limit", set: setRate(func(cfg *Config) *float64 { return &cfg.RateMessages })},
	{Name: "RATE_ADDRESS", Default: "50", Use: "requests and frames a second per address, in bursts of 4 times as many; `0`: no limit", set: setRate(func(cfg *Config) *float64 { return &cfg.RateAddress })},
	{Name: "RATE_CONNECTIONS", Default: "50", Use: "new sockets a second per address, in bursts of 20 times as many; `0`: no limit", set: setRate(func(cfg *Config) *float64 { return &cfg.RateConnections })},
	{Name: "LOG_FORMAT", Absent: "`text` on a terminal, else `json`", Use: "`text` or `json`", set: oneOf(func(cfg *Config) *string { return &cfg.LogFormat }, "", "text", "json")},
	{Name: "LOG_LEVEL", Default: "info", Use: "`debug`, `info`, `warn` or `error`", set: setLogLevel},
	{Name: "TIMER_SLACK", Default: "4ms", Use: "on Linux, how late timers may fire, which saves CPU; `0`: leave it, and do not re-execute the program at the start", set: setTimerSlack},
}

// flag is the variable's name on the command line: REDIS_URL is -redis-url.
func (v variable) flag() string {
	return strings.ReplaceAll(strings.ToLower(v.Name), "_", "-")
}

// shownDefault is the default as people are told it.
func (v variable) shownDefault() string {
	if v.Default == "" {
		return v.Absent
	}
	return "`" + v.Default + "`"
}

// refuse is the error for a value that set did not take.
func (v variable) refuse(value string, err error) error {
	if v.Secret {
		return fmt.Errorf("%s must be %w", v.Name, err)
	}
	return fmt.Errorf("%s is %q but must be %w", v.Name, value, err)
}

// oneOf sets a variable that takes one of a few words. An empty word means that the
// variable may be left out.
func oneOf[W ~string](field func(*Config) *W, words ...W) func(*Config, string) error {
	return func(cfg *Config, value string) error {
		if slices.Contains(words, W(value)) {
			*field(cfg) = W(value)
			return nil
		}
		var texts []string
		for _, word := range words {
			texts = append(texts, string(word))
		}
		named := strings.Join(texts[:len(texts)-1], ", ") + " or " + texts[len(texts)-1]
		return errors.New(strings.TrimPrefix(named, ", "))
	}
}

// setRate sets one of the limits per second. Fractions are allowed: 0.5 is one in
// two seconds.
func setRate(field func(*Config) *float64) func(*Config, string) error {
	return func(cfg *Config, value string) error {
		rate, err := strconv.ParseFloat(value, 64)
		if err != nil || rate < 0 || rate > 1e6 || math.IsNaN(rate) {
			return errors.New("a number from 0 (no limit) to 1000000")
		}
		*field(cfg) = rate
		return nil
	}
}

func setPort(cfg *Config, value string) (err error) {
	cfg.Port, err = strconv.Atoi(value)
	if err != nil || cfg.Port < 0 || cfg.Port > 65535 {
		return errors.New("a number from 0 (any free port) to 65535")
	}
	return nil
}

func setRedisURL(cfg *Config, value string) error {
	cfg.RedisURL = value
	if value == "" {
		return nil
	}
	if _, _, err := redisurl.Parse(value, cfg.OnHeroku); err != nil {
		return fmt.Errorf("a URL that Burble can use: %w", err)
	}
	return nil
}

// setRedisPrefix refuses braces because the part of a key between braces decides
// its place in a Redis Cluster, and the prefix stands before that part.
func setRedisPrefix(cfg *Config, value string) error {
	cfg.RedisPrefix = value
	if strings.ContainsFunc(value, func(r rune) bool { return r == '{' || r == '}' || unicode.IsSpace(r) }) {
		return errors.New("without braces and spaces")
	}
	return nil
}

func setSecret(cfg *Config, value string) error {
	cfg.Secret = value
	if value != "" && len(value) < 16 {
		return errors.New("at least 16 characters long")
	}
	return nil
}

func setOrigins(cfg *Config, value string) error {
	for one := range strings.SplitSeq(value, ",") {
		if one = strings.TrimSpace(one); one == "" {
			continue
		}
		origin, ok := canonicalOrigin(one)
		if !ok {
			return fmt.Errorf("origins with commas between them, and %q is none: scheme and host, perhaps a port, nothing else, as in https://chat.example.org", one)
		}
		cfg.Origins = append(cfg.Origins, origin)
	}
	return nil
}

func setHistoryMaxCount(cfg *Config, value string) (err error) {
	cfg.HistoryMaxCount, err = strconv.ParseInt(value, 10, 64)
	if err != nil || cfg.HistoryMaxCount < 0 {
		return errors.New("a whole number, or 0 to keep all")
	}
	return nil
}

// setHistoryMaxAge takes what Go takes for a duration, and days besides, because
// nobody thinks of a month as 720h.
func setHistoryMaxAge(cfg *Config, value string) (err error) {
	if days, isDays := strings.CutSuffix(value, "d"); isDays {
		var n uint64
		n, err = strconv.ParseUint(days, 10, 16)
		cfg.HistoryMaxAge = time.Duration(n) * 24 * time.Hour
	} else {
		cfg.HistoryMaxAge, err = time.ParseDuration(value)
	}
	if err != nil || cfg.HistoryMaxAge < 0 {
		return errors.New("a duration such as 90m, 36h or 30d, or 0 to keep entries for ever")
	}
	return nil
}

func setLogLevel(cfg *Config, value string) error {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	level, ok := levels[value]
	if !ok {
		return errors.New("debug, info, warn or error")
	}
	cfg.LogLevel = level
	return nil
}

// setTimerSlack has an upper bound because all timers of the program may be late by it.
func setTimerSlack(cfg *Config, value string) (err error) {
	cfg.TimerSlack, err = time.ParseDuration(value)
	if err != nil || cfg.TimerSlack < 0 || cfg.TimerSlack > maxTimerSlack {
		return fmt.Errorf("a duration from 0 (as the system has it) to %v", maxTimerSlack)
	}
	return nil
}
