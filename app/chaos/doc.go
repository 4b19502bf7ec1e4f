// Package chaos tries to break Burble, and sees whether anybody was told wrong.
//
//	go test ./app/chaos -v -run Chaos -seed 7 -for 20m -redis sentinel -durability replica -crowd 2000
//
// It builds the program, starts a few servers of it and a real Redis, and lets many
// clients talk: authors who repeat a send under its key until it is stored, and
// followers on WebSockets, server-sent events and NDJSON who keep their place. They
// are written from app/PROTOCOL.md and share no code with the server. Meanwhile a
// schedule of faults that the seed decides harms servers, networks, Redis and rooms,
// several at once. When all is mended, the checker compares what each client was told
// with what Redis held.
//
// # What must hold
//
// A room's truth is its entries as Redis has them, one history for each epoch. What the
// harness trims, deletes or flushes it copies in the same transaction, so a history is
// whole even when it is gone. Then, see [check]:
//
//   - what was acknowledged is in a history, under the ID that was told, and nothing is
//     in one twice, nor is anything there that nobody sent, or sent to another room;
//   - a history's numbers are dense, and an author's messages stand as they were sent;
//   - each frame begins where the one before it ended, and holds exactly what its
//     history has up to its own end;
//   - a client that comes back is resumed exactly where it asks, or told truncated or
//     reset, and that only where the harness took something away;
//   - a fresh read shows what was acknowledged before it;
//   - five seconds after the last fault everybody has everything, and when all have
//     left, the servers hold no more than at first.
//
// Faults that take from a room, a trim and a deletion, happen to two rooms of their
// own, and a flush in an act of its own. From the other rooms nothing may be missing at
// durability disk on one Redis, and at replica where a failover is possible. There an
// entry that was never acknowledged may have been told and be lost with the old primary;
// but then everybody who was told it must be told reset before anything else.
//
// The checker is checked, see TestCheckerFindsEveryPlantedFlaw; so is the whole: a build
// with the tag chaos breaks in the way that BURBLE_DEFECT names.
package chaos
