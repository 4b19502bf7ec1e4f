//go:build unix

package browser

import (
	"fmt"
	"testing"

	"burble/app/apptest"
	"burble/streams/redistest"

	"github.com/chromedp/cdproto/cdp"
	cdpperformance "github.com/chromedp/cdproto/performance"
)

// metrics returns what Chromium counts about the page: LayoutCount, TaskDuration and others.
func (u *user) metrics() map[string]float64 {
	u.t.Helper()
	result := call(u, cdpperformance.GetMetrics, cdp.Empty{})
	all := make(map[string]float64)
	for _, metric := range result.Metrics {
		all[metric.Name] = metric.Value
	}
	return all
}

// The page starts to watch one room every 100 ms. It must not lay out the list again for each of them.
func TestHomePageLaysOutManyRoomsOnce(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	const rooms = 100
	server := apptest.Start(t, redistest.Start(t))
	bob := newGuest(t, server, "Bob")
	for i := range rooms {
		room := fmt.Sprint("room-", i)
		bob.send(room, "hello")
		bob.follow(room)
	}
	ada := newUser(t, "Ada")
	call(ada, cdpperformance.Enable, cdpperformance.EnableParams{})
	ada.open(server, "/")
	ada.wait("the rows", fmt.Sprintf(`document.querySelectorAll("#room-list li").length === %d`, rooms))
	before := ada.metrics()
	ada.wait("the names of those who are present", fmt.Sprintf(
		`[...document.querySelectorAll("#room-list .present")].filter((one) => one.textContent.includes("Bob")).length === %d`, rooms))
	after := ada.metrics()
	for _, name := range []string{"LayoutCount", "RecalcStyleCount", "LayoutDuration", "RecalcStyleDuration", "ScriptDuration", "TaskDuration"} {
		t.Logf("%s: %.3f", name, after[name]-before[name])
	}
	budget{"layouts while the page watches 100 rooms", int(after["LayoutCount"] - before["LayoutCount"]), 10}.expect(t)
}
