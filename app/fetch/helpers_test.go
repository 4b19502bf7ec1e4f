package fetch_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"burble/app/fetch"
	"burble/app/fetch/fetchtest"
)

var ctx = context.Background()

// patience is the deadline for events that happen soon, unless the machine is slow.
const patience = time.Minute

// A site is a web site, with a Client that may reach it.
type site struct {
	*fetchtest.Site
	client *fetch.Client
}

func startSite(t *testing.T, handler http.HandlerFunc) *site {
	t.Helper()
	s := fetchtest.Start(t, handler)
	return &site{s, fetch.New(fetch.Options{UserAgent: "Burble test", Guard: s.Guard})}
}
