//go:build linux

package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"burble/app/bench/load"
	"burble/app/bench/target"
)

// presets are the default workloads of the modes.
var presets = map[string]load.Workload{
	"fanout": {Clients: 500, Rooms: 1, Follow: 1, Rate: 50, Size: 100},
	"rooms":  {Clients: 2000, Rooms: 10_000, Follow: 10, Rate: 1000, Size: 100},
	"quiet":  {Clients: 100, Rooms: 1, Follow: 1, Rate: 20, Size: 100},
	"resume": {Clients: 2000, Rooms: 1, Follow: 1, Rate: 1, Size: 100, Missed: 200, Deflate: true},
	"join":   {Clients: 1, Rooms: 1, Follow: 1, Rate: 1, Size: 100, Entries: 1_000_000},
	"start":  {Clients: 1, Rooms: 1, Follow: 1, Rate: 1, Size: 100},
	"ladder": {Clients: 500, Rooms: 1, Follow: 1, Rate: 1000, Size: 100},
	"idle":   {Clients: 10_000, Rooms: 1, Follow: 1, Rate: 1, Size: 100, Settle: 5 * time.Second},
}

// defaultUsers is the default number of users. Clients share them.
const defaultUsers = 1000

const usageText = `Usage: bench [mode] [flags]

Modes:
  fanout   many clients in few rooms (the default)
  rooms    many rooms with few clients each
  quiet    few messages: the time until the last client has received each
  idle     many connections that receive next to nothing
  resume   all clients missed the same entries and reconnect at once
  join     open a room that has many entries
  start    the time from exec until the server is ready
  ladder   fanout at increasing rates, until the target fails

Flags, with the defaults of this mode:
`

// parseFlags reads the command line.
func parseFlags(args []string) (*bench, error) {
	b := &bench{mode: "fanout", out: os.Stdout}
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		b.mode, args = args[0], args[1:]
	}
	preset, known := presets[b.mode]
	if !known {
		return nil, fmt.Errorf("unknown mode %q: want one of %s", b.mode, strings.Join(slices.Sorted(maps.Keys(presets)), ", "))
	}
	b.work = preset
	b.work.Settle = max(b.work.Settle, 500*time.Millisecond)
	flags := flag.NewFlagSet("bench "+b.mode, flag.ContinueOnError)
	flags.Usage = func() { fmt.Fprint(flags.Output(), usageText); flags.PrintDefaults() }
	b.defineWorkload(flags)
	listFlags := b.defineBench(flags)
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if err := b.readLists(listFlags); err != nil {
		return nil, err
	}
	if b.suite != "" && b.suite != "headline" && b.suite != "all" {
		return nil, fmt.Errorf("unknown suite %q: want headline or all", b.suite)
	}
	if b.runs < 1 && b.suite != "" {
		b.runs = 5
	}
	b.runs = max(1, b.runs)
	b.work.Users = min(b.work.Users, b.work.Clients)
	return b, b.work.Check()
}

// defineWorkload defines the flags of the workload, with the mode's defaults.
func (b *bench) defineWorkload(flags *flag.FlagSet) {
	w := &b.work
	flags.IntVar(&w.Clients, "clients", w.Clients, "number of clients, each with one connection")
	flags.IntVar(&w.Rooms, "rooms", w.Rooms, "number of rooms; clients and messages are spread evenly over them")
	flags.IntVar(&w.Follow, "follow", w.Follow, "number of rooms that each client follows")
	flags.IntVar(&w.Rate, "rate", w.Rate, "messages per second, in all rooms together")
	flags.IntVar(&w.Size, "size", w.Size, "bytes in a message's text; Burble accepts up to 4,000")
	flags.IntVar(&w.Missed, "missed", w.Missed, "resume: number of entries that each client has missed")
	flags.IntVar(&w.Entries, "entries", w.Entries, "join: number of entries in the room")
	flags.IntVar(&w.Users, "guests", defaultUsers, "Burble: maximum number of users that the clients share")
	flags.BoolVar(&w.Private, "private", w.Private, "Burble: the rooms are private, and the users have accounts (not with mode resume)")
	flags.BoolVar(&w.Deflate, "deflate", w.Deflate, "Burble: clients request compressed batches, as its page does")
	flags.StringVar(&w.Transport, "transport", load.WebSocket, "websocket, or sse (Burble only)")
	flags.DurationVar(&w.Duration, "for", 10*time.Second, "measured `time` of each run")
	flags.DurationVar(&w.Warmup, "warm", time.Second, "warm-up `time` before that")
	flags.DurationVar(&w.Settle, "settle", w.Settle, "idle `time` after all clients have joined")
}

// lists are flags with several values, separated by commas.
type lists struct{ targets, rates, pids, redisPids string }

// defineBench defines the other flags.
func (b *bench) defineBench(flags *flag.FlagSet) *lists {
	var l lists
	flags.StringVar(&l.targets, "target", "burble", "targets to measure, separated by commas: burble, floor (only a loop of writes), "+
		"hub (as in tutorials), xread (one blocking XREAD per connection), centrifugo")
	flags.StringVar(&l.rates, "rates", "", "several rates to measure instead of -rate, separated by commas")
	flags.IntVar(&b.runs, "runs", 0, "number of runs of each target, alternating, followed by their medians (default 1, for a suite 5)")
	flags.StringVar(&b.suite, "suite", "", "headline or all: check claims about Burble instead of running a mode")
	flags.BoolVar(&b.json, "json", false, "print a JSON object per run instead of a line")
	flags.StringVar(&b.chart, "chart", "", "write an SVG to this `file`: CPU per delivery and p99 by rate")
	flags.StringVar(&b.launcher.Burble.Path, "burble", "", "measure this `program` instead of building ./app")
	flags.StringVar(&b.launcher.Burble.Profiles, "profile", "", "write profiles of Burble to this `folder`: CPU during the run, memory and goroutines after it")
	flags.DurationVar(&b.patience, "patience", 5*time.Second, "`time` without a delivery after which the rest counts as missing")
	flags.IntVar(&b.launcher.Centrifugo.Port, "centrifugo", 0, "`port` of a Centrifugo on this machine that allows anonymous clients to subscribe and publish")
	flags.StringVar(&l.pids, "centrifugo-pids", "", "process `IDs` of Centrifugo, separated by commas")
	flags.StringVar(&l.redisPids, "centrifugo-redis-pids", "", "process `IDs` of its Redis, separated by commas")
	return &l
}

func (b *bench) readLists(l *lists) (err error) {
	if b.targets, err = target.Parse(l.targets); err != nil {
		return err
	}
	if b.rates, err = parseInts(l.rates); err != nil {
		return err
	}
	if len(b.rates) == 0 {
		b.rates = []int{b.work.Rate}
	}
	if b.launcher.Centrifugo.PIDs, err = parseInts(l.pids); err != nil {
		return err
	}
	b.launcher.Centrifugo.RedisPIDs, err = parseInts(l.redisPids)
	return err
}

func parseInts(text string) (ints []int, err error) {
	for field := range strings.SplitSeq(text, ",") {
		if field == "" {
			continue
		}
		n, err := strconv.Atoi(field)
		if err != nil {
			return nil, err
		}
		ints = append(ints, n)
	}
	return ints, nil
}
