// Package proc starts the processes of a run, and measures their CPU and memory.
//
// [StartServer] starts a program and waits until it prints its port. [StartRedis] starts a
// Redis for one run, on a Unix socket and without persistence. The kernel kills these
// children if the bench dies. [TakeSample] reads the CPU time of server, Redis and bench from
// /proc, and the counts of Redis's commands. Two samples give the [Usage] between them.
package proc
