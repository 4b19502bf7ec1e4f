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
)

// presets are what the modes do unless flags say otherwise.
var presets = map[string]work{
	"fanout": {Clients: 500, Rooms: 1, Follow: 1, Rate: 50, Size: 100},
	"rooms":  {Clients: 2000, Rooms: 10_000, Follow: 10, Rate: 1000, Size: 100},
	"quiet":  {Clients: 100, Rooms: 1, Follow: 1, Rate: 20, Size: 100},
	"resume": {Clients: 2000, Rooms: 1, Follow: 1, Rate: 1, Size: 100, Missed: 200, Deflate: true},
	"join":   {Clients: 1, Rooms: 1, Follow: 1, Rate: 1, Size: 100, Entries: 1_000_000},
	"start":  {Clients: 1, Rooms: 1, Follow: 1, Rate: 1, Size: 100},
	"ladder": {Clients: 500, Rooms: 1, Follow: 1, Rate: 1000, Size: 100},
	"idle":   {Clients: 10_000, Rooms: 1, Follow: 1, Rate: 1, Size: 100, Settle: 5 * time.Second},
}

// guestsMost is how many different people the clients are, unless flags say otherwise.
const guestsMost = 1000

const usage = `Usage: bench [mode] [flags]

Modes:
  fanout   many clients in few rooms (the default)
  rooms    many rooms with few clients each
  quiet    few messages: how long until the last client has each
  idle     many connections that hardly hear anything
  resume   all clients come back at once and have missed the same
  join     into a room with many entries
  start    from the exec until it serves
  ladder   fanout at ever higher rates, until something breaks

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
		return nil, fmt.Errorf("there is no mode %q: %s", b.mode, strings.Join(slices.Sorted(maps.Keys(presets)), ", "))
	}
	b.work = preset
	w := &b.work
	w.Settle = max(w.Settle, 500*time.Millisecond)
	flags := flag.NewFlagSet("bench "+b.mode, flag.ContinueOnError)
	flags.Usage = func() { fmt.Fprint(flags.Output(), usage); flags.PrintDefaults() }
	flags.IntVar(&w.Clients, "clients", w.Clients, "connections")
	flags.IntVar(&w.Rooms, "rooms", w.Rooms, "rooms, over which clients and messages are spread evenly")
	flags.IntVar(&w.Follow, "follow", w.Follow, "rooms that each client follows")
	flags.IntVar(&w.Rate, "rate", w.Rate, "messages a second, in all rooms together")
	rates := flags.String("rates", "", "several rates with commas, instead: measured one after the other")
	flags.StringVar(&b.chart, "chart", "", "a `file` for an SVG: CPU by delivery and p99 against the rate")
	flags.IntVar(&w.Missed, "missed", w.Missed, "resume: entries that each client has missed")
	flags.IntVar(&w.Entries, "entries", w.Entries, "join: entries of the room")
	flags.StringVar(&b.suite, "suite", "", "instead of a mode: headline or all, what must hold, with limits")
	flags.IntVar(&w.Size, "size", w.Size, "bytes of a message's text; Burble takes 4,000")
	flags.DurationVar(&w.Lasts, "for", 10*time.Second, "how `long` each run is measured")
	flags.DurationVar(&w.Warm, "warm", time.Second, "how `long` it goes on before that")
	flags.DurationVar(&w.Settle, "settle", w.Settle, "how `long` the server is left alone when all have joined")
	flags.DurationVar(&b.patience, "patience", 5*time.Second, "how `long` nothing may arrive before what has not arrived is missing")
	flags.IntVar(&w.Guests, "guests", guestsMost, "different people that the clients of Burble are, at most")
	flags.BoolVar(&w.Deflate, "deflate", w.Deflate, "the clients of Burble ask for long batches compressed, as its page does")
	flags.StringVar(&w.Transport, "transport", webSocket, "websocket, or sse (Burble only)")
	names := flags.String("target", "burble", "what is measured, with commas: burble, floor (a bare loop of writes), hub (as in the tutorials), "+
		"xread (a blocked XREAD for each connection), centrifugo")
	flags.IntVar(&b.runs, "runs", 0, "runs of each target, in turns, 1 if absent, 5 of a suite; the medians are at the end")
	flags.BoolVar(&b.json, "json", false, "a JSON object for each run, instead of a line")
	flags.StringVar(&b.burble, "burble", "", "a `program` to measure, instead of what is in ./app now")
	flags.StringVar(&b.profile, "profile", "", "a `folder` for profiles of Burble: CPU while it is measured, memory and goroutines after")
	flags.IntVar(&b.centrifugo.port, "centrifugo", 0, "the `port` of this machine on which a Centrifugo listens, whose clients may connect, subscribe and publish")
	pids := flags.String("centrifugo-pids", "", "its process `IDs`, with commas")
	redisPids := flags.String("centrifugo-redis-pids", "", "those of its Redis")
	err := flags.Parse(args)
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("what is %q?", flags.Arg(0))
	}
	if err == nil {
		b.targets, err = findTargets(*names)
	}
	if err == nil {
		b.rates, err = numbers(*rates)
	}
	if len(b.rates) == 0 {
		b.rates = []int{w.Rate}
	}
	if err == nil {
		b.centrifugo.pids, err = numbers(*pids)
	}
	if err == nil {
		b.centrifugo.redisPids, err = numbers(*redisPids)
	}
	switch {
	case err == nil && b.suite != "" && b.suite != "headline" && b.suite != "all":
		err = fmt.Errorf("there is no suite %q", b.suite)
	case b.runs < 1 && b.suite != "":
		b.runs = 5
	}
	b.runs = max(1, b.runs)
	w.Guests = min(w.Guests, w.Clients)
	if err == nil {
		err = w.check()
	}
	return b, err
}

func numbers(text string) (all []int, err error) {
	for field := range strings.SplitSeq(text, ",") {
		if field == "" {
			continue
		}
		n, err := strconv.Atoi(field)
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, nil
}
