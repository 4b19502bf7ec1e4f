package protocol

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// Parsing a frame must allocate at most a small multiple of its size. The test is not parallel,
// because it measures the allocations of the whole process.
func TestParsingAllocatesInProportionToFrame(t *testing.T) {
	const key = "9b2f6c1e-3d4a-4f6b-8a7e-1c2d3e4f5a6b"
	// fill repeats part until the frame has about MaxFrame bytes.
	fill := func(before, part, after string) string {
		return before + strings.Repeat(part, (MaxFrame-len(before)-len(after))/len(part)) + after
	}
	var fields strings.Builder
	for i := 0; fields.Len() < MaxFrame-20; i++ {
		fmt.Fprintf(&fields, `,"%x":0`, i)
	}
	for name, frame := range map[string]string{
		"unclosed arrays":       fill("", "[", ""),
		"unclosed objects":      fill("", `{"type":`, ""),
		"nested arrays":         strings.Repeat("[", 9000) + strings.Repeat("]", 9000),
		"a long number":         fill(`{"type":"follow","room":"lobby","last":`, "9", "}"),
		"a long exponent":       fill(`{"type":"follow","room":"lobby","last":1e`, "9", "}"),
		"a repeated field":      fill(`{"type":"ping"`, `,"type":"ping"`, "}"),
		"many fields":           `{"type":"ping"` + fields.String() + "}",
		"a long field name":     fill(`{"`, "x", `":1}`),
		"escapes":               fill(`{"type":"send","text":"`, `\u0000`, `"}`),
		"half surrogate pairs":  fill(`{"type":"send","text":"`, `\ud800`, `"}`),
		"an unclosed string":    fill(`{"type":"send","text":"`, `\\`, ``),
		"spaces":                fill("", " ", `{"type":"ping"}`),
		"numbers":               fill("[", "1,", "1]"),
		"many files":            fill(`{"type":"send","room":"lobby","key":"`+key+`","files":[`, `{},`, `{}]}`),
		"nested files":          `{"type":"send","room":"lobby","key":"` + key + `","files":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `}`,
		"a long description":    fill(`{"type":"send","room":"lobby","key":"`+key+`","files":[{"id":"`+exampleFile+`","alt":"`, " a", `"}]}`),
		"text that is too long": fill(`{"type":"send","room":"lobby","key":"`+key+`","text":"`, "a", `"}`),
	} {
		parse := func() { Parse([]byte(frame)) }
		parse() // warm up: later calls reuse memory that the first call allocates
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		parse()
		runtime.ReadMemStats(&after)
		if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 64*MaxFrame {
			t.Errorf("%s: allocated %d bytes for a frame of %d, want at most %d", name, allocated, len(frame), 64*MaxFrame)
		}
	}
}
