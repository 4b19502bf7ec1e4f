//go:build !(darwin || linux)

package main

// writeAtOnce writes nothing: here every write waits.
func writeAtOnce(int, []byte, []byte) (int, error) { return 0, nil }
