package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"burble/app/blobs"
	"burble/app/httpguard"
	"burble/app/peer"
	"burble/streams"
)

// Config holds all settings. It does not change after ParseConfig. The list variables documents each
// field. ParseConfig validates all values, so the rest of the program does not need to.
type Config struct {
	Port            int    // 0 means any free port
	Listen          string // an IP address or localhost; empty means all interfaces
	RedisURL        string
	RedisPrefix     string
	LocalRedis      string // localAuto or localAlways
	DataDir         string
	Access          string // accessOpen, accessRead or accessMembers
	Secret          string // if empty, one is generated and stored in Redis
	OIDCIssuer      string // empty means that there is no identity provider
	OIDCClientID    string
	OIDCSecret      string
	OIDCDomains     []string
	Origins         []string        // results of peer.CanonicalOrigin
	Hosts           []string        // for httpguard.NewHosts; includes the names that the hosting platform has assigned
	Previews        string          // previewsOn or previewsOff
	Files           string          // the directory for uploaded files; empty if they are in S3, or turned off
	S3              blobs.S3Options // Bucket is empty unless files are in S3
	FilesMax        int64           // all sizes are in bytes; for FilesMax and FilesPerDay, 0 means no limit
	FilesPerDay     int64
	PictureMax      int64
	FileMax         int64
	MetricsToken    string // if empty, anyone may read the metrics
	SecurityContact string // a URL; empty means the home page
	TrustedProxy    string // one of the constants peer.Proxy…
	HistoryMaxCount int64  // 0 means no limit
	HistoryMaxAge   time.Duration
	Durability      streams.Durability
	RateMessages    float64 // per second, as are all rates except RateRooms; 0 means no limit
	RateAddress     float64
	RateConnections float64
	RateBytes       float64
	RateRooms       float64 // per minute
	LogFormat       string  // "text", "json", or empty for text on a terminal and JSON elsewhere
	LogLevel        slog.Level
	TimerSlack      time.Duration // 0 means unchanged

	// OnHeroku reports whether this process runs on Heroku, where Redis has a self-signed
	// certificate. It is not a setting: ParseConfig derives it from DYNO.
	OnHeroku bool
}

// ParseConfig parses the flags in args and the environment. args does not include the program's name.
// A flag takes precedence over the environment, which takes precedence over the default. An empty
// value means the default. The error describes all invalid values, not just the first.
//
// If args contains -h or -help, ParseConfig returns [flag.ErrHelp], and the caller should print
// configUsage.
func ParseConfig(args []string, getenv func(string) string) (Config, error) {
	flags, rest, err := parseFlags(args, func(*flag.FlagSet) {})
	if err != nil {
		return Config{}, err
	}
	if len(rest) > 0 {
		// The error does not quote the argument, which may be part of an unquoted secret.
		return Config{}, errors.New("flags: unexpected argument that is not a flag (-help lists the flags)")
	}
	return newConfig(flags, getenv)
}

// newConfig returns the settings in the flags and the environment.
func newConfig(flags map[string]string, getenv func(string) string) (Config, error) {
	config := Config{OnHeroku: getenv("DYNO") != ""}
	var invalid []error
	for _, v := range variables {
		value, given := flags[v.Name]
		if !given {
			value = getenv(v.Name)
		}
		if value == "" {
			value = v.Default
		}
		if err := v.set(&config, value); err != nil {
			invalid = append(invalid, v.invalid(value, err))
		}
	}
	config.Hosts = append(config.Hosts, httpguard.PlatformHosts(getenv)...)
	if err := errors.Join(checkSharedRedis(config, getenv), checkProvider(config), checkStore(&config, getenv)); err != nil && len(invalid) == 0 {
		invalid = append(invalid, err)
	}
	if len(invalid) > 0 {
		return Config{}, errors.Join(invalid...)
	}
	return config, nil
}

// hostVariables are environment variables that hosting platforms set for every server.
var hostVariables = []struct{ name, host string }{
	{"DYNO", "Heroku"},
	{"FLY_APP_NAME", "Fly"},
	{"RENDER", "Render"},
	{"RAILWAY_ENVIRONMENT", "Railway"},
	{"RAILWAY_ENVIRONMENT_NAME", "Railway"},
	{"KUBERNETES_SERVICE_HOST", "Kubernetes"},
	{"K_SERVICE", "Cloud Run"},
	{"GAE_SERVICE", "App Engine"},
	{"ECS_CONTAINER_METADATA_URI_V4", "Amazon ECS"},
	{"WEBSITE_INSTANCE_ID", "Azure App Service"},
	{"CONTAINER_APP_NAME", "Azure Container Apps"},
	{"VCAP_APPLICATION", "Cloud Foundry"},
	{"KOYEB_APP_NAME", "Koyeb"},
	{"NOMAD_ALLOC_ID", "Nomad"},
}

// checkSharedRedis returns an error if REDIS_URL is empty in an environment where several servers may
// run, or where the disk may not be persistent. Each server would start its own Redis and pass every
// health check, but users on different servers would not see each other.
func checkSharedRedis(config Config, getenv func(string) string) error {
	if config.RedisURL != "" || config.LocalRedis == localAlways {
		return nil
	}
	found := ""
	if config.TrustedProxy != peer.ProxyNone {
		found = "TRUSTED_PROXY is " + config.TrustedProxy
	}
	for _, v := range hostVariables {
		if getenv(v.name) != "" {
			found = v.name + " is set, as on " + v.host
			break
		}
	}
	if found == "" {
		return nil
	}
	return fmt.Errorf("REDIS_URL is empty, but %s: each server would start its own Redis, which lacks the messages of the other servers and may be lost with its disk. "+
		"Set REDIS_URL to a Redis that all servers share. If there is only ever one server, set LOCAL_REDIS=%s", found, localAlways)
}

// ParseConfig returns errVersion if the flags contain -version.
var errVersion = errors.New("the version was requested")

// parseFlags returns the values of the flags in args, by variable name, and the arguments after them. more adds flags
// that are not settings.
func parseFlags(args []string, more func(*flag.FlagSet)) (given map[string]string, rest []string, err error) {
	given = map[string]string{}
	set := flag.NewFlagSet("burble", flag.ContinueOnError)
	showVersion := set.Bool("version", false, "")
	set.SetOutput(io.Discard) // main prints the error
	for _, v := range variables {
		set.Func(v.flag(), v.Usage, func(value string) error {
			given[v.Name] = value
			return nil
		})
	}
	more(set)
	switch err := set.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return nil, nil, err
	case err != nil:
		return nil, nil, fmt.Errorf("flags: %w (-help lists them)", err)
	case *showVersion:
		return nil, nil, errVersion
	}
	return given, set.Args(), nil
}

// configUsage returns the output of -help: every flag with its variable and default.
func configUsage() string {
	var text strings.Builder
	text.WriteString("Usage: burble [flags]\n")
	for _, name := range slices.Sorted(maps.Keys(commands)) {
		fmt.Fprintf(&text, "       %s\n", commands[name])
	}
	text.WriteString("\nEach flag can also be set as an environment variable.\n\n")
	for _, v := range variables {
		fmt.Fprintf(&text, "  -%s, %s\n\t%s (default: %s)\n", v.flag(), v.Name, v.Usage, v.shownDefault())
	}
	text.WriteString("  -version\n\tprint the version and exit\n")
	return strings.ReplaceAll(text.String(), "`", "") // removes the Markdown
}
