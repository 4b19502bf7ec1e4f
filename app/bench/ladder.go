//go:build linux

package main

import (
	"context"
	"fmt"
	"time"
)

// brokenAt is the p99 from which on a server is called broken: what it delivers is no
// longer live.
const brokenAt = time.Second

// climb measures one target at ever higher rates, until something breaks, and says what.
func (b *bench) climb(ctx context.Context) error {
	for _, t := range b.targets {
		w := b.work
		for {
			p := &plan{target: t, mode: "fanout", work: w}
			if err := b.do(ctx, []*plan{p}); err != nil {
				return err
			}
			if what := broken(p.results); what != "" {
				b.say(fmt.Sprintf("%s breaks at %d messages a second to %d clients: %s", t.name, w.Rate, w.Clients, what))
				break
			}
			w.Rate += w.Rate / 4
		}
	}
	return nil
}

// broken says what is no longer as it should be, or nothing.
func broken(runs []*result) string {
	for _, r := range runs {
		switch {
		case r.wrong() != "":
			return r.wrong()
		case r.P99 > brokenAt:
			return fmt.Sprintf("p99 is %v", r.P99.Round(time.Millisecond))
		case r.Late > brokenAt:
			return fmt.Sprintf("the bench cannot send as fast, it is %v late", r.Late.Round(time.Millisecond))
		}
	}
	return ""
}
