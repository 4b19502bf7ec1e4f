package wire

import (
	"slices"
	"testing"
)

func TestScanMarkers(t *testing.T) {
	t.Parallel()
	one, two := make([]byte, MarkerSize), make([]byte, MarkerSize)
	PutMarker(one, Marker{7, 42, 1732281600000000})
	PutMarker(two, Marker{99999999, 99999999, 9999999999999999})
	for _, test := range []struct {
		name, text string
		found      []Marker
		rest       int
	}{
		{"nothing", "", nil, 0},
		{"text without marker", `{"text":"hello"}`, nil, 0},
		{"one marker", string(one), []Marker{{7, 42, 1732281600000000}}, 0},
		{"two markers among stray delimiters", "##." + string(one) + "x#y" + string(two) + "###", []Marker{{7, 42, 1732281600000000}, {99999999, 99999999, 9999999999999999}}, 3},
		{"two markers without a gap", string(one) + string(two), []Marker{{7, 42, 1732281600000000}, {99999999, 99999999, 9999999999999999}}, 0},
		{"a letter among the digits", "#0000000x" + string(one[9:]), nil, 1},
		{"the character before 0", "#/0000007" + string(one[9:]), nil, 1},
		{"the character after 9", string(one[:10]) + "0000004:" + string(one[18:]), nil, 1},
		{"an incomplete marker", "hello " + string(one[:20]), nil, 20},
	} {
		var found []Marker
		rest := ScanMarkers([]byte(test.text), func(m Marker) { found = append(found, m) })
		if !slices.Equal(found, test.found) || rest != test.rest {
			t.Errorf("%s: found %v, rest %d; want %v, %d", test.name, found, rest, test.found, test.rest)
		}
	}
}

func BenchmarkScanMarkers(b *testing.B) {
	entry := []byte(`{"id":"1732281600000-0","n":41,"kind":"message","key":"9b2f6c1e-3d4a-4f6b-8a7e-1c2d3e4f5a6b",` +
		`"user":{"id":"5d0f61a4-8a1e-4d7c-9f0a-3b1f2c4d5e6f","name":"Ada"},"text":"`)
	at := len(entry)
	entry = append(entry, make([]byte, MarkerSize)...)
	PutMarker(entry[at:], Marker{7, 42, 1732281600000000})
	b.SetBytes(int64(len(entry)))
	b.ReportAllocs()
	for b.Loop() {
		ScanMarkers(entry, func(Marker) {})
	}
}
