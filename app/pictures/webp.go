package pictures

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"io"

	"golang.org/x/image/webp"
)

// Flags of the VP8X chunk.
const (
	flagXMP, flagEXIF, flagAlpha = 0x04, 0x08, 0x10
)

// A section is a range of a file.
type section struct{ offset, size int64 }

func (s section) of(file io.ReaderAt) io.Reader { return io.NewSectionReader(file, s.offset, s.size) }

// A webpFrame locates the first frame in the stripped file.
type webpFrame struct {
	at            image.Point
	alpha         section // the ALPH chunk; empty if there is none
	isPacked      bool    // whether alpha is compressed
	bits          section // the VP8 or VP8L chunk
	isLossless    bool
	width, height int
}

// A webpStripper copies the chunks that are necessary to show the picture (RFC 9649).
type webpStripper struct {
	*stripped
	in        *bufio.Reader
	out       *writer
	first     webpFrame
	isComplex bool // whether decoding the first frame could need too much memory
}

const (
	// maxTrees and treesPerByte are upper bounds of the bytes that package webp allocates for the Huffman trees of a
	// lossless picture: in total, and for each byte of the file.
	maxTrees     = 140_000_000
	treesPerByte = 3000
)

func stripWebP(in *bufio.Reader, out *writer) (*stripped, error) {
	w := &webpStripper{stripped: &stripped{mediaType: "image/webp"}, in: in, out: out}
	head, err := read(in, 12)
	if err != nil {
		return nil, err
	}
	left := int64(binary.LittleEndian.Uint32(head[4:])) - 4
	out.Write(head)
	for left >= 8 {
		name, size, err := w.readHead()
		if err != nil {
			return nil, err
		}
		padded := size + size&1
		if left -= 8 + padded; left < 0 {
			return nil, fmt.Errorf("%w: chunk %q of %d bytes", ErrCorrupt, name, size)
		}
		if err := w.chunk(name, size); err != nil {
			return nil, err
		}
	}
	if w.frames == 0 {
		return nil, fmt.Errorf("%w: no frame", ErrCorrupt)
	}
	if !w.isComplex {
		w.decode = w.first.decode
	} else if w.orientation > 1 {
		return nil, fmt.Errorf("%w: lossless and rotated", ErrTooLarge)
	}
	size := binary.LittleEndian.AppendUint32(nil, uint32(out.size-8))
	return w.stripped, out.patch(size, 4)
}

func (w *webpStripper) readHead() (name string, size int64, err error) {
	head, err := read(w.in, 8)
	if err != nil {
		return "", 0, err
	}
	return string(head[:4]), int64(binary.LittleEndian.Uint32(head[4:])), nil
}

// chunk copies or skips a chunk.
func (w *webpStripper) chunk(name string, size int64) error {
	switch name {
	case "VP8X":
		return w.copyExtended(size)
	case "ANIM":
		return w.copy(name, size)
	case "ALPH", "VP8 ", "VP8L":
		return w.copyStill(name, size)
	case "ANMF":
		return w.animationFrame(size)
	case "ICCP":
		if size > maxProfile {
			return fmt.Errorf("%w: color profile of %d bytes", ErrTooLarge, size)
		}
		data, err := read(w.in, int(size+size&1))
		if err != nil {
			return err
		}
		w.profile = data[:size]
		w.writeHead(name, size)
		w.out.Write(data)
		return nil
	case "EXIF":
		data, err := read(w.in, int(min(size, maxEXIF)))
		if err != nil {
			return err
		}
		w.orientation = orientationOf(data)
		return skip(w.in, size+size&1-int64(len(data)))
	}
	return skip(w.in, size+size&1)
}

// copyStill copies an image chunk of a picture that is not animated.
func (w *webpStripper) copyStill(name string, size int64) error {
	if w.frames > 0 {
		return skip(w.in, size+size&1)
	}
	if w.width == 0 {
		w.width, w.height = -1, -1 // use the frame's size
	}
	frame := webpFrame{}
	if w.first.alpha.size > 0 {
		frame = w.first
	}
	if err := w.bitstream(&frame, name, size); err != nil {
		return err
	}
	w.first = frame
	if name == "ALPH" {
		return nil
	}
	if w.width < 0 {
		w.width, w.height = frame.width, frame.height
	}
	if frame.width != w.width || frame.height != w.height {
		return fmt.Errorf("%w: frame of %d x %d pixels", ErrCorrupt, frame.width, frame.height)
	}
	w.frames = 1
	return w.checkMemory()
}

// checkMemory estimates the memory that decoding the first frame needs, and checks it.
func (w *webpStripper) checkMemory() error {
	pixels := int64(w.width) * int64(w.height)
	w.pixelSize, w.memory = 2, pixels*5/2 // YCbCr, and alpha
	if w.first.alpha.size > 0 {
		w.pixelSize, w.memory = 3, pixels*7
	}
	trees := int64(0)
	if w.first.isPacked {
		trees = w.first.alpha.size * treesPerByte
	}
	if w.first.isLossless {
		w.pixelSize, w.memory = 4, pixels*9
		trees = w.first.bits.size * treesPerByte
	}
	w.memory += min(trees, maxTrees)
	if w.frames > 1 || w.first.width != w.width || w.first.height != w.height {
		w.memory += 4 * pixels
	}
	if trees > 0 && w.memory > maxMemory {
		// This bound is far too high for most pictures, so store the picture without decoding it.
		w.isComplex, w.memory = true, 0
	}
	return w.check()
}

func (w *webpStripper) writeHead(name string, size int64) {
	io.WriteString(w.out, name)
	w.out.Write(binary.LittleEndian.AppendUint32(nil, uint32(size)))
}

func (w *webpStripper) copy(name string, size int64) error {
	w.writeHead(name, size)
	_, err := io.CopyN(w.out, w.in, size+size&1)
	return err
}

// copyExtended copies the header of the extended format.
func (w *webpStripper) copyExtended(size int64) error {
	if size != 10 || w.width != 0 {
		return fmt.Errorf("%w: header of %d bytes", ErrCorrupt, size)
	}
	data, err := read(w.in, 10)
	if err != nil {
		return err
	}
	data[0] &^= flagEXIF | flagXMP
	w.width, w.height = uint24(data[4:])+1, uint24(data[7:])+1
	w.writeHead("VP8X", size)
	w.out.Write(data)
	return w.check()
}

func uint24(data []byte) int { return int(data[0]) | int(data[1])<<8 | int(data[2])<<16 }

// bitstream copies an image chunk of a frame and reads the frame's actual size from it.
func (w *webpStripper) bitstream(frame *webpFrame, name string, size int64) error {
	head, err := w.in.Peek(10)
	if err != nil && (name != "ALPH" || size > 10) {
		return err
	}
	at := w.out.size + 8
	switch name {
	case "ALPH":
		frame.alpha, frame.isPacked = section{at, size}, size > 0 && head[0]&3 == 1
	case "VP8 ":
		if size < 10 || string(head[3:6]) != "\x9d\x01\x2a" {
			return fmt.Errorf("%w: invalid VP8", ErrCorrupt)
		}
		frame.width, frame.height = int(binary.LittleEndian.Uint16(head[6:]))&0x3fff, int(binary.LittleEndian.Uint16(head[8:]))&0x3fff
		frame.bits = section{at, size}
	case "VP8L":
		if size < 5 || head[0] != 0x2f {
			return fmt.Errorf("%w: invalid VP8L", ErrCorrupt)
		}
		bits := binary.LittleEndian.Uint32(head[1:])
		frame.width, frame.height = int(bits&0x3fff)+1, int(bits>>14&0x3fff)+1
		frame.bits, frame.isLossless = section{at, size}, true
	}
	return w.copy(name, size)
}

// animationFrame copies a frame of an animation, but only the chunks that are necessary to show it.
func (w *webpStripper) animationFrame(size int64) error {
	if size < 16 || w.width < 1 {
		return fmt.Errorf("%w: invalid frame", ErrCorrupt)
	}
	head, err := read(w.in, 16)
	if err != nil {
		return err
	}
	frame := webpFrame{at: image.Pt(2*uint24(head), 2*uint24(head[3:]))}
	width, height := uint24(head[6:])+1, uint24(head[9:])+1
	began := w.out.size
	w.writeHead("ANMF", 0)
	w.out.Write(head)
	for left := size + size&1 - 16; left >= 8; {
		name, size, err := w.readHead()
		if err != nil {
			return err
		}
		if left -= 8 + size + size&1; left < 0 {
			return fmt.Errorf("%w: chunk %q of %d bytes", ErrCorrupt, name, size)
		}
		if isBits := name == "VP8 " || name == "VP8L"; isBits && frame.bits.size == 0 || name == "ALPH" && frame.alpha.size == 0 {
			err = w.bitstream(&frame, name, size)
		} else {
			err = skip(w.in, size+size&1)
		}
		if err != nil {
			return err
		}
	}
	if frame.width != width || frame.height != height || frame.at.X+width > w.width || frame.at.Y+height > w.height {
		return fmt.Errorf("%w: frame of %d x %d pixels", ErrCorrupt, frame.width, frame.height)
	}
	w.frames++
	if w.frames == 1 {
		w.first = frame
	}
	if err := w.checkMemory(); err != nil {
		return err
	}
	return w.out.patch(binary.LittleEndian.AppendUint32(nil, uint32(w.out.size-began-8)), began+4)
}

// decode decodes the frame as a WebP file of its own.
func (f webpFrame) decode(file io.ReaderAt) (decoded, error) {
	var head bytes.Buffer
	parts := []io.Reader{&head}
	chunk := func(name string, data section) {
		var head, tail []byte
		head = binary.LittleEndian.AppendUint32([]byte(name), uint32(data.size))
		if data.size&1 == 1 {
			tail = []byte{0}
		}
		parts = append(parts, bytes.NewReader(head), data.of(file), bytes.NewReader(tail))
	}
	head.WriteString("RIFF\x00\x00\x00\x00WEBP")
	size := int64(4 + 8 + f.bits.size + f.bits.size&1)
	if f.alpha.size > 0 && !f.isLossless {
		size += 8 + 10 + 8 + f.alpha.size + f.alpha.size&1
		head.WriteString("VP8X\x0a\x00\x00\x00")
		head.Write([]byte{flagAlpha, 0, 0, 0})
		for _, side := range []int{f.width - 1, f.height - 1} {
			head.Write([]byte{byte(side), byte(side >> 8), byte(side >> 16)})
		}
		chunk("ALPH", f.alpha)
	}
	chunk(map[bool]string{false: "VP8 ", true: "VP8L"}[f.isLossless], f.bits)
	binary.LittleEndian.PutUint32(head.Bytes()[4:], uint32(size))
	img, err := webp.Decode(bufio.NewReader(io.MultiReader(parts...)))
	return decoded{img, f.at}, err
}
