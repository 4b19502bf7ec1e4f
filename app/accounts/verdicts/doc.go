// Package verdicts decides, from memory where possible, whether a session is still valid and who it
// belongs to.
//
//	decider := verdicts.New(verdicts.Options{Store: store, Log: log, Now: time.Now})
//	verdict, err := decider.Verdict(ctx, session)              // for a request
//	verdict, err = decider.Subscribe(ctx, session, connection) // for an open connection
//	defer decider.Unsubscribe(session, connection)
//
// A [Verdicts] caches the sessions that this server has read. The tail, which reads the stream of changes, keeps
// the cache up to date: it passes each change to Changed, and calls Confirmed after each reply from
// Redis. A verdict is decided from memory only if the tail has confirmed the cache within
// [MaxUnconfirmed], and otherwise read from the [Store]. A sign-out therefore takes effect on every
// server as soon as its tail reads the change, and within MaxUnconfirmed if the tail is lost.
//
// An open connection that has subscribed is notified when its session changes or ends.
//
// All methods are safe for concurrent use.
package verdicts
