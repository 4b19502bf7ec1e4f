// Package target starts the servers that the bench measures, and knows how clients speak to each.
//
// The targets are Burble, the servers of package peers, and a Centrifugo that already runs.
// [Launcher.Launch] starts one by its name and returns a [Server], which opens clients that
// speak its protocol and samples its processes. [Burble] builds the program, and takes profiles
// of it. Its code for profiling is added by go build -overlay and is not part of a release.
package target
