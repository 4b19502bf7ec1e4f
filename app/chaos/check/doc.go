// Package check decides whether clients of Burble received anything wrong. It compares what
// each of them received with what Redis held.
//
// The [Truth] is what Redis held: a [History] for each room and epoch, complete even if
// its entries were later trimmed or destroyed. A [Transcript] is what one client received
// about one room, and a [Sent] what an author sent and how it was answered. [Run] verifies
// that:
//
//   - an acknowledged message is in a history, under the acknowledged ID; no message is in
//     a history twice, and none that was not sent, or was sent to another room;
//   - the numbers of a history are dense, and the messages of an author are in the order
//     in which they were sent;
//   - each batch begins where the one before it ended, and has exactly the history's
//     entries up to its own end;
//   - a client that reconnects is resumed exactly at its cursor, or, only where entries
//     were removed, gets truncated or reset;
//   - a fresh read shows every message that was acknowledged before it;
//   - at the end every client has everything.
//
// With replicas, an entry that was never acknowledged may be read and then lost with the
// old primary; every client that read it must then get reset before it continues.
//
// The package does no I/O and shares no code with the server. It is tested with planted
// flaws: see TestCheckerFindsEveryPlantedFlaw.
package check
