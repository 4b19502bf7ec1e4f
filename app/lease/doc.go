// Package lease runs background jobs in whichever server holds the job's lease in Redis.
//
// Each server has a [Job] with the same name, and calls [Job.Run]. At most one of them works at a time. The
// exception is a server that hangs, or loses its connection to Redis, for longer than the lease lasts: when it
// continues, two servers may work at the same time.
//
// A job works in steps. Redis stores a cursor, which is where the next step begins, and servers advance it by
// compare-and-set. Servers can therefore repeat a step, but never skip one, so steps must be idempotent.
//
//	cleanup := lease.New(lease.Options{
//		Name: "cleanup", Redis: set, Every: 10 * time.Minute,
//		Step: func(ctx context.Context, cursor string) (next string, done bool, err error) {
//			// Do a bounded part of the work that begins at cursor.
//			return "", true, nil
//		},
//	})
//	go cleanup.Run(ctx) // and wait for it
//	cleanup.Wake()      // there is work to do
//
// While there is nothing to do, a job sends two commands each time it looks for work. Jobs run only while a
// server is running.
//
// The keys in Redis are {0}:lease:<name> and {0}:cursor:<name>, preceded by the prefix.
package lease
