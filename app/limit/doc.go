// Package limit limits what each key, such as a user or a client's address, may do in this process.
//
//	messages := limit.NewRate(5, 20) // 5 per second, in bursts of 20
//	ok, retryAfter := messages.Allow(userID, 1, time.Now())
//
//	unread := limit.NewQuota(16 << 20)
//	release, ok := unread.Take(address, len(body))
//
// A [Rate] limits how often a key may act, with a token bucket per key. A [Quota] limits how much a
// key may hold at once, such as open connections or unread bytes. Both remove idle keys from memory.
// [Listener] applies a Quota to connections, and a [Memo] limits how often an expensive call runs.
//
// All types are safe for concurrent use, and none starts a goroutine.
package limit
