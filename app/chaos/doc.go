// Package chaos breaks servers, networks and Redis while clients talk, and checks that no
// client was told anything wrong.
//
//	go test ./app/chaos -v -run Chaos -seed 7 -for 20m -redis sentinel -durability replica -crowd 2000
//
// It builds the program and starts a few servers and a real Redis. Authors send messages
// and repeat each one under its key until it is stored. Followers read over WebSocket,
// server-sent events and NDJSON and keep their cursors. Both use app/client and share no
// code with the server. Meanwhile faults happen to servers, networks, Redis and rooms,
// several at once, on a schedule that the seed decides. When all faults are repaired, the
// checker compares what each client was told with what Redis held.
//
// # What must hold
//
// The truth about a room is its entries in Redis: one history for each epoch. Before the
// harness trims, deletes or flushes anything it copies it, in the same transaction, so
// that a history is complete even when it is gone. The function check verifies that:
//
//   - an acknowledged message is in a history, under the acknowledged ID; no message is in
//     a history twice, and none that was not sent, or was sent to another room;
//   - the numbers of a history are dense, and the messages of an author are in the order
//     in which they were sent;
//   - each batch begins where the one before it ended, and has exactly the history's
//     entries up to its own end;
//   - a client that comes back is resumed exactly at its cursor, or told truncated or
//     reset; that only where the harness removed something;
//   - a fresh read shows what was acknowledged before it;
//   - 5 s after the last fault every client has everything, and when the clients have
//     left, the servers hold no more resources than at first.
//
// Trims and deletions happen to two rooms that have no other purpose, and flushes in a
// phase of their own. The other rooms may not lose anything, at durability disk on a
// single Redis and at durability replica where a failover is possible. With replicas, an
// entry that was never acknowledged may be read and then lost with the old primary; every
// client that read it must then be told reset before it reads on.
//
// The checker is tested with planted flaws (TestCheckerFindsEveryPlantedFlaw), and so is
// the harness as a whole: with servers that have a defect.
package chaos
