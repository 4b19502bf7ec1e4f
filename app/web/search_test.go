package web

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"burble/app/client"
	"burble/app/protocol"
	"burble/streams/conns"
	"burble/streams/redistest"
)

// searchResult is the response to one search.
type searchResult struct {
	entries  []client.Entry
	searched int
	older    string // where the next search continues
}

// search searches the lobby.
func (s *testServer) search(query string) (result searchResult) {
	s.t.Helper()
	got := s.get("/r/lobby/search?" + query)
	if got.status != 200 {
		s.t.Fatalf("search %s: status %d, want 200: %s", query, got.status, got.body)
	}
	lines := strings.Split(strings.TrimSpace(got.body), "\n")
	lines, last := lines[:len(lines)-1], lines[len(lines)-1]
	var done struct {
		Done     bool
		Searched int
		Older    string
	}
	if err := json.Unmarshal([]byte(last), &done); err != nil || !done.Done {
		s.t.Fatalf("search %s: the last line is %q, want done: %v", query, last, err)
	}
	for _, line := range lines {
		result.entries = append(result.entries, decodeEntry(s.t, line))
	}
	result.searched, result.older = done.Searched, done.Older
	return result
}

func TestSearchFindsCurrentMessagesNewestFirst(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		s := startServer(t, backend.Redis)
		ada, bob := s.signIn("Ada"), s.signIn("Bob")
		first := s.post(ada, "lobby", "Tea at four?").ID
		deleted := s.post(ada, "lobby", "secret tea").ID
		s.post(bob, "lobby", "no TEA for me")
		s.post(bob, "lobby", "coffee")
		c := s.connect(ada)
		c.appendf(`{"type":"edit","room":"lobby","key":"%s","of":"%s","text":"Tea at five?"}`, client.NewKey(), first)
		c.appendf(`{"type":"delete","room":"lobby","key":"%s","of":"%s"}`, client.NewKey(), deleted)

		if got := texts(s.search("q=tea").entries); !slices.Equal(got, []string{"no TEA for me", "Tea at five?"}) {
			t.Errorf("tea: found %q, want both messages, the newest first", got)
		}
		if got := texts(s.search("q=tea&from=ada").entries); !slices.Equal(got, []string{"Tea at five?"}) {
			t.Errorf("tea, from Ada: found %q, want only hers", got)
		}
		if got := s.search("q=four"); len(got.entries) != 0 || got.older != "" || got.searched != 4 {
			t.Errorf("a word that was edited away: got %+v, want none in 4 messages", got)
		}
		if got := texts(s.search("q=tea&after=" + first).entries); !slices.Equal(got, []string{"no TEA for me"}) {
			t.Errorf("tea, after the first message: found %q, want only the second", got)
		}
	})
}

// TestSearchComparesAsPeopleDo searches for words in any order, phrases, and other spellings.
func TestSearchComparesAsPeopleDo(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	jose := s.signIn("José Núñez")
	c := s.connect(jose)
	all := []string{
		"so naïve!", "meet tomorrow at noon", "I don’t know", "10\u00a0km to go", "Straße", "Ｆｕｌｌ ｗｉｄｔｈ", "ΣΩΚΡΆΤΗΣ was here",
		"he said “yes” – twice", "ЁЛКА", "cafe\u0301 Zoe\u0308", "今天天气很好",
	}
	for _, text := range all {
		c.post("lobby", text)
	}
	for query, want := range map[string][]string{
		"naive": {all[0]}, "NAÏVE": {all[0]}, "nai\u0308ve": {all[0]}, "aiv": {all[0]},
		"tomorrow noon": {all[1]}, "noon Tomorrow": {all[1]}, `"tomorrow noon"`: nil, `"tomorrow at" meet`: {all[1]}, `“at noon”`: {all[1]}, `"at noon`: {all[1]},
		"tomorrow midnight": nil,
		"don't":             {all[2]}, "DON‘T": {all[2]}, "dont": nil, "10 km": {all[3]}, `"10 km"`: {all[3]}, "10\u00a0km": {all[3]},
		"strasse": {all[4]}, "full width": {all[5]}, "Σωκρατης": {all[6]}, "yes - twice": {all[7]}, "елка": {all[8]}, "café zoé": {all[9]}, "cafe": {all[9]},
		"天气": {all[10]}, "很好 今天": {all[10]}, "nothing": nil,
	} {
		if got := texts(s.search("q=" + url.QueryEscape(query)).entries); !slices.Equal(got, want) {
			t.Errorf("%s: found %q, want %q", query, got, want)
		}
	}
	for _, from := range []string{"jose nunez", "JOSÉ NÚÑEZ", jose.User.ID} {
		if got := len(s.search("q=km&from=" + url.QueryEscape(from)).entries); got != 1 {
			t.Errorf("from %s: found %d messages, want 1", from, got)
		}
	}
	body := s.get("/r/lobby/search?q=" + url.QueryEscape(`"he said" twice TWICE e`)).body
	if want := `,"matches":[[0,7],[10,11],[16,21]]}`; !strings.Contains(body, want) {
		t.Errorf("%s has no %s", body, want)
	}
}

func TestSearchContinuesWhereItStopped(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	c := s.connect(s.signIn("Ada"))
	var want []string
	for i := range 130 {
		want = append(want, fmt.Sprintf("needle %d", i))
		c.post("lobby", want[i])
	}
	var got []string
	query := "q=needle"
	for pages := 1; query != ""; pages++ {
		result := s.search(query)
		got = append(got, texts(result.entries)...)
		if query = ""; result.older != "" {
			query = "q=needle&before=" + result.older
		}
		if pages > 5 {
			t.Fatalf("more than %d searches for %d messages", pages, len(want))
		}
	}
	if slices.Reverse(got); !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}

func TestSearchReportsAnOutage(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	const page = 200 // messages that a search reads at a time
	proxy := redistest.StartProxy(t, newMiniredis(t).Addrs[0])
	s := startServer(t, &conns.Address{Addrs: []string{proxy.Addr}})
	c := s.connect(s.signIn("Ada"))
	for i := range 3 * page {
		c.post("lobby", fmt.Sprint(i))
	}
	proxy.SetFaults(redistest.Faults{Delay: 20 * time.Millisecond})
	complete := s.openStream("/r/lobby/search?q=" + fmt.Sprint(page))
	s.engine.SetStatus(true) // only affects live reads and must not end the search
	if got := complete.jsonLine().Text; got != fmt.Sprint(page) {
		t.Errorf("found %q, want %q", got, fmt.Sprint(page))
	}
	if line := complete.line(); !strings.HasPrefix(line, `{"done":true,`) {
		t.Errorf("the last line is %s, want done", line)
	}
	complete.Line()                                                  // waits for the end, because a user may run only one search at a time
	proxy.SetFaults(redistest.Faults{Delay: 300 * time.Millisecond}) // leaves time to interrupt the search
	cut := s.openStream("/r/lobby/search?q=" + fmt.Sprint(3*page-1))
	cut.jsonLine()
	proxy.Reroute("")
	if line := cut.line(); !strings.HasPrefix(line, `{"type":"error","code":"unavailable",`) {
		t.Errorf("the last line of the interrupted search is %s, want the error unavailable", line)
	}
	if line, err := cut.Line(); err != io.EOF {
		t.Errorf("after the error: got %q, %v, want the end of the response", line, err)
	}
	refused := s.get("/r/lobby/search?q=1")
	refused.expectRefusal(t, 503, protocol.Unavailable, "")
	if refused.header.Get("Retry-After") == "" {
		t.Error("the response has no Retry-After")
	}
}

func TestSearchRefusesInvalidQueries(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	for query, field := range map[string]string{
		"": "q", "q=": "q", "q=" + strings.Repeat("x", 201): "q", "q=&from=Ada": "q", "q=%22%22": "q", "q=%CC%81": "q",
		"q=a&before=x": "before", "q=a&before=": "before", "q=a&after=1-1@e": "after", "q=a&limit=3": "limit",
	} {
		s.get("/r/lobby/search?"+query).expectRefusal(t, 400, protocol.BadField, field)
	}
	s.get("/r/NO/search?q=a").expectRefusal(t, 400, protocol.BadRoom, "room")
}
