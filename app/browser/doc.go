// Package browser tests Burble's pages in a real browser, Chromium. The servers run in processes of
// their own. The package contains only tests.
//
// If Chromium or a Redis server is not on PATH, the tests are skipped; if CI is set, they fail
// instead.
package browser
