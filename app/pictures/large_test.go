package pictures_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"math/bits"
	"strings"
	"testing"

	"burble/app/pictures"
)

// The size of pictures of 24 megapixels whose files are small. The width is a multiple of 16.
const largeWidth, largeHeight = 6000, 4000

// flatJPEG returns a JPEG of one color whose components have the given sampling factors. Its scan consists of zeros,
// which are the codes of a difference of 0 and of the end of a block.
func flatJPEG(marker byte, adobe string, sampling ...byte) []byte {
	var out bytes.Buffer
	out.WriteString("\xff\xd8")
	if adobe != "" {
		out.WriteString(jpegSegment(0xee, "Adobe\x00\x64\x00\x00\x00\x00"+adobe))
	}
	out.WriteString(jpegSegment(0xdb, "\x00"+strings.Repeat("\x01", 64)))
	frame := binary.BigEndian.AppendUint16([]byte{8}, largeHeight)
	frame = append(binary.BigEndian.AppendUint16(frame, largeWidth), byte(len(sampling)))
	scan := []byte{byte(len(sampling))}
	blocks := 0
	for i, factors := range sampling {
		frame = append(frame, byte(i+1), factors, 0)
		scan = append(scan, byte(i+1), 0)
		blocks += int(factors>>4) * int(factors&15)
	}
	out.WriteString(jpegSegment(marker, string(frame)))
	one := "\x01" + strings.Repeat("\x00", 15) + "\x00" // a single code of one bit, for the value 0
	out.WriteString(jpegSegment(0xc4, "\x00"+one))
	last, codes := byte(63), 2 // codes per block
	if marker == 0xc2 {
		last, codes = 0, 1
	} else {
		out.WriteString(jpegSegment(0xc4, "\x10"+one))
	}
	out.WriteString(jpegSegment(0xda, string(scan)+string([]byte{0, last, 0})))
	unit := 8 * int(sampling[0]>>4)
	units := ((largeWidth + unit - 1) / unit) * ((largeHeight + unit - 1) / unit)
	out.Write(make([]byte, units*blocks*codes/8+1))
	out.WriteString("\xff\xd9")
	return out.Bytes()
}

// flatPNG returns a PNG of zeros.
func flatPNG(depth, colorType, interlace byte, samples int, chunks ...string) []byte {
	var data bytes.Buffer
	deflater := zlib.NewWriter(&data)
	row := make([]byte, 1+largeWidth*samples*int(depth)/8)
	for range largeHeight * (1 + int(interlace)) { // an interlaced PNG has more rows
		deflater.Write(row)
	}
	deflater.Close()
	out := pngHeader(largeWidth, largeHeight, depth, colorType, interlace)
	for _, chunk := range append(chunks, pngChunk("IDAT", data.String()), pngChunk("IEND", "")) {
		out = append(out, chunk...)
	}
	return out
}

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
