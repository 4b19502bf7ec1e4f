// Package browser tests Burble's pages in a real browser, Chromium, which reads and
// writes through servers in processes of their own. It has tests only.
//
// Without Chromium or a Redis server on PATH the tests are skipped; where CI is set,
// they fail instead.
package browser
