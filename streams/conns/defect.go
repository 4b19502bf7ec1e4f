//go:build !chaos

package conns

// planted reports whether the defect is wanted, see defect_chaos.go of package streams.
func planted(string) bool { return false }
