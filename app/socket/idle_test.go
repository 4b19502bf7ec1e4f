package socket_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"burble/app/ws"
)

// Most sockets are idle. Workers with grown stacks read the messages (live.Engine.RunOnWorker), so
// the goroutine that waits for the next message keeps a small stack. The test inspects all goroutines,
// so it is not parallel.
func TestIdleSocketKeepsASmallStack(t *testing.T) {
	server := startServer(t, 0)
	for range 20 {
		c := connect(t, server)
		c.write(ping("x"))
		if opcode, _, err := c.readFrame(); opcode != ws.OpPong || err != nil {
			t.Fatalf("opcode %d, %v; want a pong", opcode, err)
		}
	}
	stacks := make([]byte, 4<<20)
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		text := string(stacks[:runtime.Stack(stacks, true)])
		if strings.Count(text, "socket.(*Server).Serve(") >= 20 && !strings.Contains(text, "(*client).readNext(") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("sockets are still reading after %v:\n%s", patience, text)
		}
	}
}
