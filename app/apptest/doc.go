// Package apptest starts Burble as a process for tests, which then use it as users do:
// over HTTP and WebSockets, and by killing it.
//
//	func TestMain(m *testing.M) { os.Exit(apptest.Main(m)) }
//
//	func TestReadiness(t *testing.T) {
//		server := apptest.Start(t, redistest.Start(t))
//		status, _ := server.Get("/readyz")
//		…
//	}
//
// The program is built once per test process, with the race detector if the tests have
// it. It is killed when the test ends; the test fails if it panicked or had a data race,
// and the log of a failed test has the end of the program's output.
package apptest
