// Command bench is a load generator for Burble and the servers it is compared with.
//
// It starts a Redis and a server, loads the server with many clients, checks that every
// client receives every message once and in order, and reports throughput, latency,
// and the CPU and memory of each process. README.md explains modes, targets and columns.
//
//	go run ./app/bench                                          # 500 clients in one room, 50 messages per second
//	go run ./app/bench fanout -target floor,hub,burble -runs 5  # targets in turns
//	go run ./app/bench -suite headline                          # what Burble promises, with limits
//
// This package has the flags, the modes and the suites. Package target starts the servers,
// package load has the clients, package proc measures the processes, and package report
// prints. A plan is one workload for one target, run several times, in turns with the others.
//
// The servers under test are processes of their own. The simple ones, of package peers, are
// this program started again with "serve". If one process may not have enough open files,
// the clients are divided among workers: this program started again with "worker".
package main
