package markup

import (
	"runtime"
	"time"

	"burble/streams"

	"golang.org/x/time/rate"
)

// slots limits how many Renderers render at a time, so that pages leave a processor to live reads if there are several.
var slots = make(chan struct{}, max(1, runtime.GOMAXPROCS(0)-1))

// A Renderer renders the messages of one response, and measures the time that takes. The zero Renderer is
// ready to use, by one goroutine at a time.
type Renderer struct {
	WaitForSlot bool          // whether to wait for one of the slots
	TimeLimit   time.Duration // when Spent reaches it, HTML returns texts without markup; 0 means no limit
	SharedLimit *rate.Limiter // microseconds that several Renderers may spend together; nil means no limit
	Spent       time.Duration // rendering time, without waiting; cached messages take none
}

// HTML returns the result of the function [HTML], or the text without markup if TimeLimit or SharedLimit is used up.
func (r *Renderer) HTML(entry *streams.Entry) string {
	if entry.Text == "" {
		return ""
	}
	if rendered, known := cache.find(entry.Text); known {
		return rendered
	}
	if r.TimeLimit > 0 && r.Spent >= r.TimeLimit || r.SharedLimit != nil && r.SharedLimit.Tokens() <= 0 {
		return plainHTML(entry.Text)
	}
	return r.measure(func() string { return HTML(entry) })
}

func (r *Renderer) measure(render func() string) string {
	if r.WaitForSlot {
		slots <- struct{}{}
		defer func() { <-slots }()
	}
	began := time.Now()
	defer func() {
		spent := time.Since(began)
		r.Spent += spent
		if r.SharedLimit != nil {
			r.SharedLimit.ReserveN(began, min(int(spent.Microseconds()), r.SharedLimit.Burst()))
		}
	}()
	return render()
}
