package web

import (
	"flag"
	"os"
	"testing"

	"burble/streams/redistest"
)

// TestMain runs more tests at once than there are processors, because tests mostly wait.
func TestMain(m *testing.M) {
	flag.Parse()
	isSet := false
	flag.Visit(func(f *flag.Flag) { isSet = isSet || f.Name == "test.parallel" })
	if !isSet {
		flag.Set("test.parallel", "8")
	}
	os.Exit(redistest.Main(m))
}
