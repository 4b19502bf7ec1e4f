// Command bench is a load generator for Burble and for the servers that it is compared with.
//
// It starts a Redis and a server, loads the server with many clients, checks that every
// client receives every message once and in order, and reports throughput, latency,
// and the CPU and memory of each process. README.md explains modes, targets and columns.
//
//	go run ./app/bench                                          # 500 clients in one room, 50 messages per second
//	go run ./app/bench fanout -target floor,hub,burble -runs 5  # several targets, alternating
//	go run ./app/bench -suite headline                          # the main claims, each with its limit
//
// This package has the flags, the modes and the suites. Package target starts the servers,
// package load has the clients, package proc measures the processes, and package report
// prints results. A plan is one workload for one target. It runs several times, alternating
// with the other plans.
//
// The servers under test are separate processes. The simple ones, from package peers, are this
// program started with "serve". If one process cannot have enough open files, the clients are
// divided among workers, which are this program started with "worker".
package main
