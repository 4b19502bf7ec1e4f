package main

import (
	"errors"
	"flag"
	"log/slog"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

// env returns a getenv function for alternating names and values.
func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestConfigDefaults(t *testing.T) {
	t.Parallel()
	got, err := ParseConfig(nil, env())
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Port: 8080, Access: "open", DataDir: "data", LocalRedis: "auto", TrustedProxy: "none", Durability: "memory", Previews: "on",
		Files: "data/files", FilesMax: 5 << 30, FilesPerDay: 250 << 20, PictureMax: 10 << 20, FileMax: 25 << 20,
		RateMessages: 5, RateAddress: 50, RateConnections: 50, RateBytes: 32768, RateRooms: 1, LogLevel: slog.LevelInfo,
		TimerSlack: 4 * time.Millisecond,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestConfigReadsEveryVariableFromEnvironmentAndFlags(t *testing.T) {
	t.Parallel()
	settings := []string{
		"PORT", "0", "LISTEN", "[::1]", "REDIS_URL", "rediss://u:p@host:1/2", "REDIS_PREFIX", "chat:", "LOCAL_REDIS", "always", "DATA_DIR", "/var/lib/burble",
		"ACCESS", "members", "SECRET", "0123456789abcdef", "ORIGINS", " https://Chat.Example.org:443, http://localhost:3000,", "TRUSTED_PROXY", "fly",
		"OIDC_ISSUER", "https://login.example.org/", "OIDC_CLIENT_ID", "burble", "OIDC_CLIENT_SECRET", "hush", "OIDC_DOMAINS", "Example.org, example.net",
		"HOSTS", "Chat.example.org, *.example.net", "PREVIEWS", "off", "FILES", "/srv/files", "FILES_MAX", "0", "FILES_PER_DAY", "1 GB", "PICTURE_MAX", "2048", "FILE_MAX", "1000KB", "METRICS_TOKEN", "fedcba9876543210", "SECURITY_CONTACT", "security@example.org",
		"HISTORY_MAX_COUNT", "100000", "HISTORY_MAX_AGE", "30d", "DURABILITY", "disk", "RATE_MESSAGES", "0.5",
		"RATE_ADDRESS", "0", "RATE_CONNECTIONS", "7", "RATE_BYTES", "1000", "RATE_ROOMS", "2", "LOG_FORMAT", "json", "LOG_LEVEL", "debug", "TIMER_SLACK", "0",
	}
	want := Config{
		Listen: "::1", RedisURL: "rediss://u:p@host:1/2", RedisPrefix: "chat:", LocalRedis: "always", DataDir: "/var/lib/burble",
		Access: "members", Secret: "0123456789abcdef", Origins: []string{"https://chat.example.org", "http://localhost:3000"}, TrustedProxy: "fly",
		OIDCIssuer: "https://login.example.org/", OIDCClientID: "burble", OIDCSecret: "hush", OIDCDomains: []string{"example.org", "example.net"},
		Hosts: []string{"chat.example.org", ".example.net"}, Previews: "off", Files: "/srv/files", FilesPerDay: 1 << 30, PictureMax: 2048, FileMax: 1000 << 10, MetricsToken: "fedcba9876543210", SecurityContact: "mailto:security@example.org",
		HistoryMaxCount: 100000, HistoryMaxAge: 30 * 24 * time.Hour, Durability: "disk", RateMessages: 0.5,
		RateConnections: 7, RateBytes: 1000, RateRooms: 2, LogFormat: "json", LogLevel: slog.LevelDebug,
	}
	if len(settings) != 2*len(variables) {
		t.Errorf("the test sets %d variables, want all %d", len(settings)/2, len(variables))
	}
	fromEnv, err := ParseConfig(nil, env(settings...))
	if err != nil || !reflect.DeepEqual(fromEnv, want) {
		t.Errorf("from the environment: %v\ngot  %+v\nwant %+v", err, fromEnv, want)
	}
	var args []string
	for i := 0; i < len(settings); i += 2 {
		args = append(args, "-"+strings.ReplaceAll(strings.ToLower(settings[i]), "_", "-"), settings[i+1])
	}
	fromFlags, err := ParseConfig(args, env("PORT", "x", "SECRET", "short", "RATE_ADDRESS", "9"))
	if err != nil || !reflect.DeepEqual(fromFlags, want) {
		t.Errorf("from flags that override the environment: %v\ngot  %+v\nwant %+v", err, fromFlags, want)
	}
}

func TestConfigIncludesHostsOfThePlatform(t *testing.T) {
	t.Parallel()
	got, err := ParseConfig(nil, env("FLY_APP_NAME", "my-chat", "REDIS_URL", "redis://localhost", "HOSTS", "chat.example.org"))
	if want := []string{"chat.example.org", "my-chat.fly.dev", "my-chat.flycast"}; err != nil || !reflect.DeepEqual(got.Hosts, want) {
		t.Errorf("got %q, %v, want %q", got.Hosts, err, want)
	}
}

func TestConfigErrorNamesInvalidVariable(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, value, wantInError string }{
		{"PORT", "http", "a number from 0"},
		{"PORT", "65536", "65535"},
		{"PORT", "-1", "65535"},
		{"LISTEN", "127.0.0.1:8080", "without a port"},
		{"LISTEN", "example.org", "IP address"},
		{"REDIS_PREFIX", "a{b}", "braces"},
		{"REDIS_PREFIX", "a b", "spaces"},
		{"LOCAL_REDIS", "yes", "auto or always"},
		{"ORIGINS", "chat.example.org", "https://chat.example.org"},
		{"ORIGINS", "https://chat.example.org/", "https://chat.example.org"},
		{"ORIGINS", "https://*.example.org", "https://chat.example.org"},
		{"ORIGINS", "*", "https://chat.example.org"},
		{"OIDC_ISSUER", "login.example.org", "a URL"},
		{"OIDC_DOMAINS", "ada@example.org", "domains"},
		{"HOSTS", "https://chat.example.org", "without schemes"},
		{"HOSTS", "chat.example.org:443", "without schemes"},
		{"SECURITY_CONTACT", "http://example.org/security", "mailto:"},
		{"SECURITY_CONTACT", "call us", "mailto:"},
		{"TRUSTED_PROXY", "nginx", "none, fly, heroku or forwarded"},
		{"FILES_MAX", "5 gigabytes", "5GB"},
		{"FILES_MAX", "-1MB", "5GB"},
		{"FILES_PER_DAY", "1.5GB", "5GB"},
		{"FILES_PER_DAY", "2000000000TB", "5GB"},
		{"PICTURE_MAX", "0", "from 1KB to 1024MB"},
		{"FILE_MAX", "2GB", "from 1KB to 1024MB"},
		{"HISTORY_MAX_COUNT", "1.5", "whole number"},
		{"HISTORY_MAX_COUNT", "-1", "whole number"},
		{"HISTORY_MAX_AGE", "a month", "30d"},
		{"HISTORY_MAX_AGE", "-1h", "30d"},
		{"HISTORY_MAX_AGE", "-1d", "30d"},
		{"HISTORY_MAX_AGE", "99999999999999999999d", "30d"},
		{"HISTORY_MAX_AGE", "30", "30d"},
		{"DURABILITY", "Disk", "memory, replica or disk"},
		{"RATE_MESSAGES", "fast", "0 (no limit)"},
		{"RATE_ADDRESS", "-1", "0 (no limit)"},
		{"RATE_CONNECTIONS", "NaN", "0 (no limit)"},
		{"LOG_FORMAT", "xml", "text or json"},
		{"TIMER_SLACK", "4", "from 0 (unchanged)"},
		{"TIMER_SLACK", "-1ms", "from 0 (unchanged)"},
		{"TIMER_SLACK", "1s", "100ms"},
		{"LOG_LEVEL", "loud", "debug, info, warn or error"},
	}
	for _, test := range tests {
		t.Run(test.name+" "+test.value, func(t *testing.T) {
			t.Parallel()
			_, err := ParseConfig(nil, env(test.name, test.value))
			if err == nil {
				t.Fatal("the value was accepted, want an error")
			}
			for _, part := range []string{test.name, test.value, test.wantInError} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the error %q does not mention %q", err, part)
				}
			}
		})
	}
}

// If each of several servers started its own Redis, they would form a split brain that no health check detects.
func TestHostsRequireRedisURL(t *testing.T) {
	t.Parallel()
	given := [][2]string{
		{"DYNO", "web.1"}, {"FLY_APP_NAME", "burble"}, {"RENDER", "true"}, {"RAILWAY_ENVIRONMENT", "production"},
		{"KUBERNETES_SERVICE_HOST", "10.0.0.1"}, {"TRUSTED_PROXY", "fly"}, {"TRUSTED_PROXY", "heroku"}, {"TRUSTED_PROXY", "forwarded"},
		{"K_SERVICE", "burble"}, {"ECS_CONTAINER_METADATA_URI_V4", "http://169.254.170.2/v4/1"},
	}
	for _, variable := range given {
		name, value := variable[0], variable[1]
		_, err := ParseConfig(nil, env(name, value))
		for _, part := range []string{"REDIS_URL", name, "LOCAL_REDIS=always"} {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s=%s without REDIS_URL: the error %v does not mention %s", name, value, err, part)
			}
		}
		for _, remedy := range [][2]string{{"REDIS_URL", "redis://localhost"}, {"LOCAL_REDIS", "always"}} {
			if _, err := ParseConfig(nil, env(name, value, remedy[0], remedy[1])); err != nil {
				t.Errorf("%s=%s with %s: %v", name, value, remedy[0], err)
			}
			if _, err := ParseConfig([]string{"-" + strings.ReplaceAll(strings.ToLower(remedy[0]), "_", "-"), remedy[1]}, env(name, value)); err != nil {
				t.Errorf("%s=%s with the flag for %s: %v", name, value, remedy[0], err)
			}
		}
	}
	if _, err := ParseConfig([]string{"-trusted-proxy=fly"}, env()); err == nil || !strings.Contains(err.Error(), "TRUSTED_PROXY") {
		t.Errorf("-trusted-proxy without REDIS_URL: got %v, want an error that names TRUSTED_PROXY", err)
	}
	if _, err := ParseConfig(nil, env("TRUSTED_PROXY", "none", "DYNO", "")); err != nil {
		t.Errorf("TRUSTED_PROXY=none and an empty DYNO: %v", err)
	}
}

func TestConfigReportsAllInvalidValuesTogether(t *testing.T) {
	t.Parallel()
	_, err := ParseConfig([]string{"-port=x"}, env("LOG_LEVEL", "loud", "SECRET", "tooshort"))
	for _, name := range []string{"PORT", "LOG_LEVEL", "SECRET"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("the error %v does not mention %s", err, name)
		}
	}
}

func TestConfigNeverPrintsSecrets(t *testing.T) {
	t.Parallel()
	urls := []string{
		"redis://:hunter2@host:port", "redis://u:hun/hunter2@host", "redis://:hunter2@host/hunter2", "hunter2", "hunter2://x",
		"redis://:12/hunter2@host", "unix://:hunter2@host/x", "redis://:a@host?hunter2=1", "redis://:hunter2 @host", "redis://:%hunter2@host",
		"redis-sentinel://:hunter2@host", "redis-sentinel://:x/hunter2@host/m", "redis://:hunter2@a/1,redis://b",
		"redis-sentinel://:hunter2%@h:1,h:2/m", "redis://:hunter2@[::1", "redis://:hunter2@h,i:1",
		"redis://:12?db=hunter2@host", "redis://:12?protocol=hunter2@host", "rediss://:12?skip_verify=hunter2@host",
	}
	for _, rawURL := range urls {
		_, err := ParseConfig(nil, env("REDIS_URL", rawURL))
		if err == nil || !strings.Contains(err.Error(), "REDIS_URL") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("REDIS_URL=%s: got %v, want an error that names REDIS_URL without its value", rawURL, err)
		}
	}
	_, err := ParseConfig(nil, env("SECRET", "hunter2"))
	if err == nil || !strings.Contains(err.Error(), "SECRET") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("SECRET: got %v, want an error that names SECRET without its value", err)
	}
	for value, want := range map[string]string{"hunter2": "16 characters", "hunter2 0123456789": "space"} {
		if _, err := ParseConfig(nil, env("METRICS_TOKEN", value)); err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), want) {
			t.Errorf("METRICS_TOKEN: got %v, want an error that contains %q but not the value", err, want)
		}
	}
	for _, args := range [][]string{{"-secret", "two", "hunter2"}, {"-secert=hunter2"}, {"-secret"}} {
		if _, err := ParseConfig(args, env()); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%v: got %v, want an error without the value", args, err)
		}
	}
}

func TestConfigHelp(t *testing.T) {
	t.Parallel()
	if _, err := ParseConfig([]string{"-help"}, env("PORT", "x")); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("-help: got %v, want flag.ErrHelp", err)
	}
	usage := configUsage()
	for _, v := range variables {
		if !strings.Contains(usage, "-"+v.flag()+", "+v.Name+"\n") {
			t.Errorf("-help does not list %s", v.Name)
		}
	}
}

// The table in the README is the documentation of all settings.
func TestReadmeListsEveryVariableAndDefault(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\|.*$").FindAllStringSubmatch(string(readme), -1)
	var got []string
	for _, row := range rows {
		got = append(got, row[0])
	}
	var want []string
	for _, v := range variables {
		want = append(want, "| `"+v.Name+"` | "+v.shownDefault()+" | "+v.Usage+" |")
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the table in README.md must be:\n%s", strings.Join(want, "\n"))
	}
}
