package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"burble/streams"
)

// Config is everything Burble can be told from outside. It is read once, at the
// start, and not changed afterwards. What each field means and which values it
// takes stands in the table [variables]; ParseConfig refuses everything else, so
// the rest of the program need not check again.
type Config struct {
	Port            int // 0: any free port
	RedisURL        string
	RedisPrefix     string
	DataDir         string
	Secret          string   // empty: made once and kept in Redis
	Origins         []string // in the form of canonicalOrigin
	TrustedProxy    string   // proxyNone, proxyFly or proxyHeroku
	HistoryMaxCount int64    // 0: keep all
	HistoryMaxAge   time.Duration
	Durability      streams.Durability
	RateMessages    float64 // all rates are per second, 0 is no limit
	RateAddress     float64
	RateConnections float64
	LogFormat       string // text, json, or empty: text on a terminal, else json
	LogLevel        slog.Level
	TimerSlack      time.Duration // 0: leave it as it is

	// OnHeroku says that this process is a dyno, whose Redis has a certificate
	// that no one vouches for. It comes from DYNO, which Heroku sets.
	OnHeroku bool
}

// ParseConfig reads the configuration from the flags in args (without the program's
// name) and from the environment. A flag wins over the environment, and either over
// the default; an empty value is the same as none. All values that are not allowed
// are reported in one error, so that nobody has to find them one start at a time.
//
// After -h or -help the error is [flag.ErrHelp]; the caller prints configUsage.
func ParseConfig(args []string, getenv func(string) string) (Config, error) {
	flags, err := parseFlags(args)
	if err != nil {
		return Config{}, err
	}
	cfg := Config{OnHeroku: getenv("DYNO") != ""}
	var bad []error
	for _, v := range variables {
		value, given := flags[v.Name]
		if !given {
			value = getenv(v.Name)
		}
		if value == "" {
			value = v.Default
		}
		if err := v.set(&cfg, value); err != nil {
			bad = append(bad, v.refuse(value, err))
		}
	}
	if len(bad) > 0 {
		return Config{}, errors.Join(bad...)
	}
	return cfg, nil
}

// parseFlags returns the flags that were given, under their variables' names.
func parseFlags(args []string) (map[string]string, error) {
	given := map[string]string{}
	set := flag.NewFlagSet("burble", flag.ContinueOnError)
	set.SetOutput(io.Discard) // main says what went wrong, once
	for _, v := range variables {
		set.Func(v.flag(), v.Use, func(value string) error {
			given[v.Name] = value
			return nil
		})
	}
	switch err := set.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("flags: %w (-help lists them)", err)
	case set.NArg() > 0:
		// Not quoted: it may be a part of a secret whose quotes were forgotten.
		return nil, errors.New("flags: there is something after the last flag that is none (-help lists them)")
	}
	return given, nil
}

// configUsage is the text for -help: every flag with its variable and default.
func configUsage() string {
	var text strings.Builder
	text.WriteString("Usage: burble [flags]\n\nEach flag may also be given as the environment variable of its name.\n\n")
	for _, v := range variables {
		fmt.Fprintf(&text, "  -%s, %s\n\t%s (default: %s)\n", v.flag(), v.Name, v.Use, v.shownDefault())
	}
	return strings.ReplaceAll(text.String(), "`", "") // Markdown's
}
