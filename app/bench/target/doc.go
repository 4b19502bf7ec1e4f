// Package target starts the servers that the bench measures, and defines their protocols.
//
// The targets are Burble, the servers in package peers, and a Centrifugo that is already running.
// [Launcher.Launch] starts a target and returns a [Server], which opens clients with the right
// protocol and samples the processes. [Burble] builds the program and takes profiles of it. The
// code for profiling is added by go build -overlay and is not part of a release.
package target
