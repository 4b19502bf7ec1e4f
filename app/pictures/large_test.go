package pictures_test

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"testing"

	"burble/app/pictures"
)

// The size of pictures of 24 megapixels whose files are small. The width is a multiple of 16.
const largeWidth, largeHeight = 6000, 4000

// A bitWriter writes the bits of VP8L, least significant first.
type bitWriter struct {
	data  []byte
	count int
}

func (w *bitWriter) write(value uint64, count int) {
	for i := range count {
		if w.count%8 == 0 {
			w.data = append(w.data, 0)
		}
		w.data[w.count/8] |= byte(value>>i&1) << (w.count % 8)
		w.count++
	}
}

// code writes a symbol of a Huffman code whose symbols all have the same length.
func (w *bitWriter) code(symbol uint64, length int) {
	w.write(bits.Reverse64(symbol)>>(64-length), length)
}

// uniform writes a Huffman tree of 1<<length symbols, all of this length. The symbols themselves take no bits.
func (w *bitWriter) uniform(length int) {
	order := []int{17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11}
	w.write(0, 1)
	count := 0
	for order[count] != length {
		count++
	}
	w.write(uint64(count+1-4), 4)
	for range count {
		w.write(0, 3)
	}
	w.write(1, 3)
	w.write(1, 1)
	w.write(5, 3) // the number of symbols has 12 bits
	w.write(1<<length-2, 12)
}

// single writes a Huffman tree with a single symbol, 0.
func (w *bitWriter) single() { w.write(1, 4); w.write(0, 0) }

// manyTrees returns the VP8L chunk of a lossless WebP with 2,600 groups of the largest Huffman trees, but no pixels.
func manyTrees() string {
	const groups, tile = 2600, 64
	var w bitWriter
	w.write(0x2f, 8)
	w.write(largeWidth-1, 14)
	w.write(largeHeight-1, 14)
	w.write(0, 4) // no alpha, version
	w.write(0, 1) // no transform
	w.write(1, 1) // a color cache
	w.write(11, 4)
	w.write(1, 1) // several groups
	w.write(4, 3) // for tiles of 64 pixels
	w.write(0, 1) // the image of group numbers has no cache
	w.uniform(8)  // green: the low byte
	w.uniform(4)  // red: the high byte
	for range 3 {
		w.single()
	}
	for i := range uint64(((largeWidth + tile - 1) / tile) * ((largeHeight + tile - 1) / tile)) {
		w.code(i%groups&255, 8)
		w.code(i%groups>>8, 4)
	}
	for range groups {
		w.uniform(11)
		for range 3 {
			w.uniform(8)
		}
		w.single()
	}
	return riffChunk("VP8L", string(w.data))
}

// A lossless WebP is stored without being decoded if its decoder might need too much memory.
func TestLargeLosslessWebP(t *testing.T) {
	t.Parallel()
	picture, stored := mustProcess(t, webpWith(manyTrees()))
	if picture.Width != largeWidth || picture.Height != largeHeight || picture.Thumbnail != nil || len(stored) < 50_000 {
		t.Errorf("got %d x %d pixels, a thumbnail of %d bytes, %d bytes stored; want %d x %d pixels, no thumbnail, and at least 50,000 bytes", picture.Width, picture.Height, len(picture.Thumbnail), len(stored), largeWidth, largeHeight)
	}
	rotated := webpWith(vp8x(8, largeWidth, largeHeight), manyTrees(), riffChunk("EXIF", exif(binary.LittleEndian, 6)))
	if _, _, err := process(t, rotated); !errors.Is(err, pictures.ErrTooLarge) {
		t.Errorf("rotated: %v, want ErrTooLarge", err)
	}
}
