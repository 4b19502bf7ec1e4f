// Package apptest starts Burble as a process for tests. Tests use it over HTTP and WebSockets, as
// users do, and can kill it.
//
//	func TestMain(m *testing.M) { os.Exit(apptest.Main(m)) }
//
//	func TestReadiness(t *testing.T) {
//		server := apptest.Start(t, redistest.Start(t))
//		if status, _ := server.Get("/readyz"); status != http.StatusOK {
//			t.Errorf("got status %d", status)
//		}
//	}
//
// The program is built once per test process, with the race detector if the tests run with it. It is
// killed when the test ends. The test fails if the program panicked or had a data race, and a failed
// test logs the end of the program's output.
package apptest
