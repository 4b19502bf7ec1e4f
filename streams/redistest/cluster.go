package redistest

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// slots is how many hash slots a Redis Cluster has.
const slots = 16384

// StartCluster starts a Redis Cluster of three primaries that share the slots.
func StartCluster(t testing.TB) *redis.UniversalOptions {
	t.Helper()
	ctx := context.Background()
	options := &redis.UniversalOptions{IsClusterMode: true}
	var nodes []*redis.Client
	for i := range 3 {
		bus := strconv.Itoa(FreePort(t))
		server := StartTCP(t, "--cluster-enabled", "yes", "--cluster-port", bus)
		client := server.Client()
		defer client.Close()
		nodes = append(nodes, client)
		options.Addrs = append(options.Addrs, server.Addr)
		host, port, _ := strings.Cut(server.Addr, ":")
		for _, command := range [][]any{
			{"CLUSTER", "ADDSLOTSRANGE", i * slots / 3, (i+1)*slots/3 - 1},
			{"CLUSTER", "SET-CONFIG-EPOCH", i + 1},
		} {
			if err := client.Do(ctx, command...).Err(); err != nil {
				t.Fatalf("%v: %v", command, err)
			}
		}
		if err := nodes[0].Do(ctx, "CLUSTER", "MEET", host, port, bus).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		ready := 0
		for _, node := range nodes {
			info := node.ClusterInfo(ctx).Val()
			if strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_slots_assigned:"+strconv.Itoa(slots)) {
				ready++
			}
		}
		if ready == len(nodes) {
			return options
		}
		if time.Now().After(deadline) {
			t.Fatal("the cluster did not form")
		}
	}
}
