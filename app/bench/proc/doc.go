// Package proc starts the processes of a run, and measures their CPU and memory.
//
// [StartServer] starts a program and waits until it prints its port. [StartRedis] starts a
// Redis for one run, on a Unix socket and without persistence. The kernel kills these
// children if the bench dies. [TakeSample] reads the CPU times of the server, Redis and the bench
// from /proc, and the command counts from Redis. Two samples give the [Usage] between them.
package proc
