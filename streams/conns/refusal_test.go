package conns_test

import (
	"net"
	"strings"
	"testing"

	"burble/streams/conns"

	"github.com/redis/go-redis/v9"
)

func TestRefusedConnectionReturnsRefusal(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"-ERR max number of clients reached",
		"-ERR max number of clients + cluster connections reached",
		"-DENIED Redis is running in protected mode because protected mode is enabled",
	} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				conn.Write([]byte(line + "\r\n"))
				conn.Close()
			}
		}()
		set := conns.New(conns.Options{Redis: &conns.Address{Addrs: []string{listener.Addr().String()}}, Stream: "s"})
		defer set.Close()
		for name, client := range map[string]conns.Client{"retrying": set.Retrying, "unretried": set.Unretried, "blocking": set.Blocking} {
			_, err := client.Pipelined(t.Context(), func(pipe redis.Pipeliner) error {
				pipe.Set(t.Context(), "k", strings.Repeat("v", 1<<20), 0)
				return nil
			})
			for _, err := range []error{err, client.Ping(t.Context()).Err()} {
				if !conns.IsReply(err, line[1:10]) {
					t.Errorf("%s client: got error %v, want %q", name, err, line[1:])
				}
			}
		}
	}
}
