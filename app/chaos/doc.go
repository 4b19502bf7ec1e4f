// Package chaos breaks servers, networks and Redis while clients talk, and checks that no
// client receives anything wrong.
//
//	go test ./app/chaos -v -run Chaos -seed 7 -for 20m -redis sentinel -durability replica -crowd 2000
//
// It builds the program and starts a few servers and a real Redis. Authors send messages
// and repeat each one under its key until it is stored, and followers read over WebSocket,
// server-sent events and NDJSON and keep their cursors (package bots). Meanwhile faults happen to servers, networks, Redis and rooms,
// several at once, on a schedule that the seed decides. When all faults are repaired,
// package check compares what each client received with what Redis held. Also, every client
// must have everything within 5 s of the last fault, and when the clients have left, the
// servers must hold no more resources than at first.
//
// The truth about a room is read from Redis itself. Before the harness trims, deletes or
// flushes anything it copies it, in the same transaction. Trims and deletions happen to two
// rooms that have no other purpose, and flushes in a phase of their own. The other rooms may
// not lose anything, at durability disk on a single Redis and at durability replica where a
// failover is possible.
//
// With -previous, every second server that starts runs another program: two adjacent releases
// must serve the same rooms side by side, and clients move between them with every fault.
//
// The harness itself is tested with servers that have a defect.
package chaos
