package socket_test

import "testing"

// The autobahn files contain the cases of the Autobahn test suite for WebSocket servers that apply to
// Burble, with their numbers in the suite. Where the suite expects an echo, these tests send a frame
// of an unknown type, because the server's error quotes the type.

// autobahnCase is what a client writes, and what the server must send, in the format of responses.
type autobahnCase struct {
	name   string
	writes []byte
	want   string
}

// runCases runs each case on its own connection.
func runCases(t *testing.T, cases []autobahnCase) {
	t.Helper()
	server := startServer(t, 0)
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			c := connect(t, server)
			c.write(test.writes)
			if got := c.responses(); got != test.want {
				t.Errorf("got %.300q, want %.300q", got, test.want)
			}
		})
	}
}
