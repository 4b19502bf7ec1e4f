// Package check compares what the clients of Burble received with what Redis stored, and
// reports every [Flaw].
//
// The [Truth] is what Redis stored. It has a [History] for each room and epoch, including entries
// that were later trimmed or deleted. A [Transcript] is what one client received from one room. A
// [SentEntry] is an author's append, with the replies to it. [Run] checks that:
//
//   - every acknowledged message is in a history, with the acknowledged ID;
//   - no message is in a history twice, and each was sent to this room;
//   - the numbers of a history have no gaps, and the messages of an author are in the order
//     in which they were sent;
//   - each batch starts where the previous one ended, and has exactly the history's entries up
//     to its own end;
//   - a client that reconnects resumes exactly at its cursor, and is truncated or reset only if
//     entries were removed;
//   - a page shows every message that was acknowledged before the request;
//   - in a hidden room, what a removed member receives ends exactly with the removal, no other user is
//     admitted, and no member is refused;
//   - a client whose session has ended receives no entry that was stored after the limit for ending its connections;
//   - at the end, every client has received everything that it may read.
//
// With replicas, a client may read an entry that is not acknowledged and is then lost with the
// old primary. Every client that has read it must get a reset before anything else.
//
// The package does no I/O and shares no code with the server. TestCheckerFindsEveryPlantedFlaw
// and TestCheckerFindsEveryPlantedTrespass test it with planted flaws.
package check
