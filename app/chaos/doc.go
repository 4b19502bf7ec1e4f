// Package chaos injects faults into servers, networks and Redis while clients talk, and checks
// what each client receives.
//
//	go test ./app/chaos -v -run TestChaos -seed 7 -for 20m -redis sentinel -durability replica -crowd 2000
//
// It builds the program, and starts a few servers and a real Redis. Authors send messages and
// retry each one with the same key until it is stored. Followers read over WebSocket,
// server-sent events and NDJSON (see package bots). All the while, the harness injects faults into
// servers, networks, Redis and rooms, several at a time. The seed determines the schedule.
//
// Members of two hidden rooms are removed and added again, and sessions of accounts end, while
// strangers try to enter on every surface. What a removed member receives must end exactly with the
// removal.
//
// Some messages have files, which the harness records as uploads. A message has exactly the files with
// which it was sent, and no file is in two messages, however often a send is repeated.
//
// When all faults are repaired, package check compares what each client received with what
// Redis stored. Every client must have received everything within 5 s of the last repair. When
// the clients have left, the servers must have released the resources that they used.
//
// The harness reads the truth about a room from Redis. Before it trims, deletes or flushes
// entries, it copies them in the same transaction. It trims and deletes only two rooms that are
// there for that purpose, and flushes Redis only in a separate phase. The other rooms must not lose
// entries if the durability is disk on a single Redis, or replica where a failover is possible.
//
// With -previous, every second server that starts runs the program of the previous release. Both
// releases must serve the same rooms side by side, while clients move between them.
//
// The harness itself is tested with servers that have deliberate defects.
package chaos
