//go:build !race

package pictures_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"strings"
)

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
