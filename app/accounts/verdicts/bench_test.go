package verdicts

import (
	"testing"
	"time"

	"github.com/google/uuid"
)

func BenchmarkVerdict(b *testing.B) {
	f := newFixture(b)
	f.options.Now = time.Now
	f.Confirmed()
	sessions := make([]Session, 1000)
	for i := range sessions {
		sessions[i] = f.session()
		f.Verdict(ctx, sessions[i])
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, err := f.Verdict(ctx, sessions[i%len(sessions)]); err != nil {
			b.Fatal(err)
		}
		if i++; i%100_000 == 0 {
			f.Confirmed()
		}
	}
}

func BenchmarkGuest(b *testing.B) {
	f := newFixture(b)
	f.options.Now = time.Now
	f.Confirmed()
	guest := uuid.NewString()
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if err := f.Guest(ctx, guest); err != nil {
			b.Fatal(err)
		}
		if i++; i%100_000 == 0 {
			f.Confirmed()
		}
	}
}
