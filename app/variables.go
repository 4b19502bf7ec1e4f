package main

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"burble/app/httpguard"
	"burble/app/peer"
	"burble/app/redisurl"
	"burble/streams"
)

// maxTimerSlack bounds TIMER_SLACK, which is how late any timer of the program may fire.
const maxTimerSlack = 100 * time.Millisecond

// The values of ACCESS.
const (
	accessOpen    = "open"
	accessRead    = "read"
	accessMembers = "members"
)

// The values of LOCAL_REDIS.
const (
	localAuto   = "auto"
	localAlways = "always"
)

// The values of PREVIEWS.
const (
	previewsOn  = "on"
	previewsOff = "off"
)

// variable is an environment variable that is also a flag.
type variable struct {
	Name        string
	Default     string // value if none is set
	DefaultText string // describes the default if Default is empty
	Usage       string // one line of Markdown for -help and the README
	Secret      bool   // whether the value must never be printed

	// set parses the value and stores it in the Config. Its error describes the valid values and
	// is worded to follow "must be".
	set func(config *Config, value string) error
}

// variables lists all settings. ParseConfig and configUsage derive the flags and -help from it. A test
// compares it with the table in the README.
var variables = []variable{
	{Name: "PORT", Default: "8080", Usage: "port to listen on; `0` for any free port", set: setPort},
	{Name: "LISTEN", DefaultText: "all interfaces", Usage: "IP address to listen on, such as `127.0.0.1` behind a proxy on the same machine", set: setListen},
	{Name: "REDIS_URL", DefaultText: "none", Secret: true, Usage: "`redis://`, `rediss://` or `unix://`; several URLs separated by commas for a Cluster; `redis-sentinel://` for Sentinel", set: setRedisURL},
	{Name: "REDIS_PREFIX", DefaultText: "none", Usage: "prefix of every key, so that several applications can share a Redis", set: setRedisPrefix},
	{Name: "LOCAL_REDIS", Default: localAuto, Usage: "when to start a private Redis if `REDIS_URL` is empty: `always`, or `auto`, which does not do so behind a trusted proxy or on a hosting platform such as Heroku, Fly or Kubernetes", set: oneOf(func(config *Config) *string { return &config.LocalRedis }, localAuto, localAlways)},
	{Name: "DATA_DIR", Default: "data", Usage: "data directory of the Redis that Burble starts when `REDIS_URL` is empty", set: setDataDir},
	{Name: "ACCESS", Default: accessOpen, Usage: "who may use public rooms: `open`, everyone; `read`, everyone may read, and only accounts may write; `members`, only accounts", set: oneOf(func(config *Config) *string { return &config.Access }, accessOpen, accessRead, accessMembers)},
	{Name: "SECRET", DefaultText: "generated once and kept in Redis", Secret: true, Usage: "signs cookies and tokens; at least 16 characters", set: setSecret},
	{Name: "OIDC_ISSUER", DefaultText: "none", Usage: "URL of an identity provider (OpenID Connect) that people sign in with, such as `https://accounts.google.com`; register `/oidc/callback` there as the redirect URI, and `/oidc/logout` as the back-channel logout URI", set: setIssuer},
	{Name: "OIDC_CLIENT_ID", DefaultText: "none", Usage: "client ID of Burble at the identity provider", set: setText(func(config *Config) *string { return &config.OIDCClientID })},
	{Name: "OIDC_CLIENT_SECRET", DefaultText: "none", Secret: true, Usage: "client secret of Burble at the identity provider", set: setText(func(config *Config) *string { return &config.OIDCSecret })},
	{Name: "OIDC_DOMAINS", DefaultText: "all", Usage: "domains of the verified email addresses that may sign in with the identity provider, such as `example.org`, separated by commas; without them, everyone with an account there gets one here", set: setDomains},
	{Name: "ORIGINS", DefaultText: "same host", Usage: "other origins whose pages may connect, such as `https://chat.example.org`, separated by commas", set: setOrigins},
	{Name: "HOSTS", DefaultText: "the names that Fly, Heroku and other platforms assign", Usage: "host names of this server, such as `chat.example.org`, separated by commas; `*.example.org` for all names below a domain, `*` for all names. IP addresses, `localhost`, names without a dot, `.local`, `.internal` and the hosts in `ORIGINS` are always accepted", set: setHosts},
	{Name: "TRUSTED_PROXY", Default: peer.ProxyNone, Usage: "the proxy that is trusted to report client addresses and TLS: `fly`, `heroku`, `forwarded` (one proxy that appends to `X-Forwarded-For` and sets `X-Forwarded-Proto`, such as nginx or Caddy) or `none`", set: oneOf(func(config *Config) *string { return &config.TrustedProxy }, peer.ProxyNone, peer.ProxyFly, peer.ProxyHeroku, peer.ProxyForwarded)},
	{Name: "HISTORY_MAX_COUNT", Default: "0", Usage: "entries kept in each room; `0` for all", set: setHistoryMaxCount},
	{Name: "HISTORY_MAX_AGE", Default: "0", Usage: "how long entries are kept, such as `36h` or `30d`; `0` for forever", set: setHistoryMaxAge},
	{Name: "DURABILITY", Default: string(streams.Memory), Usage: "when a message, or a change to accounts, members or rooms, counts as stored: once Redis has it in memory (`memory`), once a replica has it too (`replica`), or once it is on disk (`disk`)", set: oneOf(func(config *Config) *streams.Durability { return &config.Durability }, streams.Memory, streams.Replica, streams.Disk)},
	{Name: "RATE_MESSAGES", Default: "5", Usage: "messages per second from one user, with bursts of up to 4 times as many; `0` for no limit", set: setRate(func(config *Config) *float64 { return &config.RateMessages })},
	{Name: "RATE_ADDRESS", Default: "50", Usage: "requests and frames per second from one address, with bursts of up to 4 times as many; `0` for no limit", set: setRate(func(config *Config) *float64 { return &config.RateAddress })},
	{Name: "RATE_CONNECTIONS", Default: "50", Usage: "new WebSockets and streams per second from one address, with bursts of up to 20 times as many; `0` for no limit", set: setRate(func(config *Config) *float64 { return &config.RateConnections })},
	{Name: "RATE_BYTES", Default: "32768", Usage: "bytes that one address may store per second, with bursts of up to 64 times as many; an entry counts as the length of its text plus 500 bytes; `0`, or `RATE_ADDRESS=0`, for no limit", set: setRate(func(config *Config) *float64 { return &config.RateBytes })},
	{Name: "RATE_ROOMS", Default: "1", Usage: "new rooms per minute from one address, with bursts of up to 20 times as many; all addresses together may create 10 times as many; `0`, or `RATE_ADDRESS=0`, for no limit", set: setRate(func(config *Config) *float64 { return &config.RateRooms })},
	{Name: "FILES", DefaultText: "the bucket in `BUCKET_NAME` or `BUCKETEER_BUCKET_NAME`; else `DATA_DIR/files` if Burble starts its own Redis; else none", Usage: "directory for the files that people attach to messages, which all servers must share; `off` for no files", set: setText(func(config *Config) *string { return &config.Files })},
	{Name: "FILES_MAX", Default: "5GB", Usage: "size of all files together; `0` for no limit", set: setSize(func(config *Config) *int64 { return &config.FilesMax }, 0, maxQuota)},
	{Name: "FILES_PER_DAY", Default: "250MB", Usage: "how many bytes one person, or all guests at one address, may upload per day; `0` for no limit", set: setSize(func(config *Config) *int64 { return &config.FilesPerDay }, 0, maxQuota)},
	{Name: "PICTURE_MAX", Default: "10MB", Usage: "maximum size of a picture", set: setSize(func(config *Config) *int64 { return &config.PictureMax }, 1<<10, maxFileSize)},
	{Name: "FILE_MAX", Default: "25MB", Usage: "maximum size of any other file", set: setSize(func(config *Config) *int64 { return &config.FileMax }, 1<<10, maxFileSize)},
	{Name: "PREVIEWS", Default: previewsOn, Usage: "whether to show cards for linked pages; the server fetches a page while the message is being written: `on` or `off`", set: oneOf(func(config *Config) *string { return &config.Previews }, previewsOn, previewsOff)},
	{Name: "METRICS_TOKEN", DefaultText: "none: everyone can read `/metrics`", Secret: true, Usage: "bearer token required to read `/metrics`; at least 16 characters", set: setMetricsToken},
	{Name: "SECURITY_CONTACT", DefaultText: "the home page", Usage: "where to report vulnerabilities, for `/.well-known/security.txt`: an email address, or a URL with `https:`, `mailto:` or `tel:`", set: setSecurityContact},
	{Name: "LOG_FORMAT", DefaultText: "`text` on a terminal, else `json`", Usage: "`text` or `json`", set: oneOf(func(config *Config) *string { return &config.LogFormat }, "", "text", "json")},
	{Name: "LOG_LEVEL", Default: "info", Usage: "`debug`, `info`, `warn` or `error`", set: setLogLevel},
	{Name: "TIMER_SLACK", Default: "4ms", Usage: "on Linux, how late timers may fire, which saves CPU; `0` to keep the system's value, which also avoids re-executing the program at startup", set: setTimerSlack},
}

// flag returns the name of the flag, such as redis-url for REDIS_URL.
func (v variable) flag() string {
	return strings.ReplaceAll(strings.ToLower(v.Name), "_", "-")
}

// shownDefault returns the default in Markdown.
func (v variable) shownDefault() string {
	if v.Default == "" {
		return v.DefaultText
	}
	return "`" + v.Default + "`"
}

// invalid returns the error for an invalid value. err describes the valid values. The error does not
// contain the value of a secret.
func (v variable) invalid(value string, err error) error {
	if v.Secret {
		return fmt.Errorf("%s must be %w", v.Name, err)
	}
	return fmt.Errorf("%s is %q but must be %w", v.Name, value, err)
}

// oneOf returns a set function for a variable whose value must be one of the words. If "" is among
// them, the variable may be empty.
func oneOf[W ~string](field func(*Config) *W, words ...W) func(*Config, string) error {
	return func(config *Config, value string) error {
		if slices.Contains(words, W(value)) {
			*field(config) = W(value)
			return nil
		}
		var texts []string
		for _, word := range words {
			texts = append(texts, string(word))
		}
		list := strings.Join(texts[:len(texts)-1], ", ") + " or " + texts[len(texts)-1]
		return errors.New(strings.TrimPrefix(list, ", "))
	}
}

// setRate returns a set function for a rate, in the unit of the variable. It may be a fraction: 0.5 means once in two
// seconds, or minutes.
func setRate(field func(*Config) *float64) func(*Config, string) error {
	return func(config *Config, value string) error {
		rate, err := strconv.ParseFloat(value, 64)
		if err != nil || rate < 0 || rate > 1e6 || math.IsNaN(rate) {
			return errors.New("a number from 0 (no limit) to 1000000")
		}
		*field(config) = rate
		return nil
	}
}

func setPort(config *Config, value string) (err error) {
	config.Port, err = strconv.Atoi(value)
	if err != nil || config.Port < 0 || config.Port > 65535 {
		return errors.New("a number from 0 (any free port) to 65535")
	}
	return nil
}

func setListen(config *Config, value string) error {
	value = strings.TrimSuffix(strings.TrimPrefix(value, "["), "]")
	if _, err := netip.ParseAddr(value); err != nil && value != "" && value != "localhost" {
		return errors.New("an IP address of this machine, without a port, or localhost")
	}
	config.Listen = value
	return nil
}

func setRedisURL(config *Config, value string) error {
	config.RedisURL = value
	if value == "" {
		return nil
	}
	if _, _, err := redisurl.Parse(value, config.OnHeroku); err != nil {
		return fmt.Errorf("a URL that Burble supports: %w", err)
	}
	return nil
}

// setRedisPrefix refuses braces, because Redis Cluster hashes only the part of a key between the first
// braces. In Burble's keys, this part follows the prefix.
func setRedisPrefix(config *Config, value string) error {
	config.RedisPrefix = value
	if strings.ContainsFunc(value, func(r rune) bool { return r == '{' || r == '}' || unicode.IsSpace(r) }) {
		return errors.New("free of braces and spaces")
	}
	return nil
}

func setDataDir(config *Config, value string) error {
	config.DataDir = value
	return nil
}

func setSecret(config *Config, value string) error {
	config.Secret = value
	if value != "" && len(value) < 16 {
		return errors.New("at least 16 characters long")
	}
	return nil
}

func setOrigins(config *Config, value string) error {
	for item := range strings.SplitSeq(value, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		origin, ok := peer.CanonicalOrigin(item)
		if !ok {
			return fmt.Errorf("a list of origins separated by commas, each a scheme, a host and optionally a port, as in https://chat.example.org; %q is not", item)
		}
		config.Origins = append(config.Origins, origin)
	}
	return nil
}

func setHosts(config *Config, value string) error {
	names, err := httpguard.ParseHosts(value)
	if err != nil {
		return fmt.Errorf("a list of host names separated by commas, without schemes or ports: %w", err)
	}
	config.Hosts = names
	return nil
}

func setMetricsToken(config *Config, value string) error {
	config.MetricsToken = value
	isPrintable := !strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' })
	if value != "" && (len(value) < 16 || !isPrintable) {
		return errors.New("at least 16 characters long, all of them printable ASCII and none of them a space")
	}
	return nil
}

// setSecurityContact accepts the schemes of RFC 9116, section 2.5.3, and adds mailto: to an address.
func setSecurityContact(config *Config, value string) error {
	if address, err := mail.ParseAddress(value); err == nil && address.Address == value {
		value = "mailto:" + value
	}
	config.SecurityContact = value
	contact, err := url.Parse(value)
	if value != "" && (err != nil || !slices.Contains([]string{"https", "mailto", "tel"}, contact.Scheme)) {
		return errors.New("an email address, or an https:, mailto: or tel: URL")
	}
	return nil
}

func setHistoryMaxCount(config *Config, value string) (err error) {
	config.HistoryMaxCount, err = strconv.ParseInt(value, 10, 64)
	if err != nil || config.HistoryMaxCount < 0 {
		return errors.New("a positive whole number, or 0 to keep all entries")
	}
	return nil
}

// setHistoryMaxAge accepts durations in Go's syntax and whole days, because 30d is easier to read than
// 720h.
func setHistoryMaxAge(config *Config, value string) (err error) {
	if days, isDays := strings.CutSuffix(value, "d"); isDays {
		var n uint64
		n, err = strconv.ParseUint(days, 10, 16)
		config.HistoryMaxAge = time.Duration(n) * 24 * time.Hour
	} else {
		config.HistoryMaxAge, err = time.ParseDuration(value)
	}
	if err != nil || config.HistoryMaxAge < 0 {
		return errors.New("a duration such as 90m, 36h or 30d, or 0 to keep entries forever")
	}
	return nil
}

func setLogLevel(config *Config, value string) error {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	level, ok := levels[value]
	if !ok {
		return errors.New("debug, info, warn or error")
	}
	config.LogLevel = level
	return nil
}

func setTimerSlack(config *Config, value string) (err error) {
	config.TimerSlack, err = time.ParseDuration(value)
	if err != nil || config.TimerSlack < 0 || config.TimerSlack > maxTimerSlack {
		return fmt.Errorf("a duration such as 4ms, from 0 (unchanged) to %v", maxTimerSlack)
	}
	return nil
}
