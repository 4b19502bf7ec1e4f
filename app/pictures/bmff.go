package pictures

import (
	"encoding/binary"
	"fmt"
	"io"
)

// maxBoxes is the maximum number of boxes in a container, and of all items' extents together.
const maxBoxes = 10_000

// A box is a part of an AVIF (ISO/IEC 14496-12, section 4.2). Its contents are the bytes of the file from start to end.
type box struct {
	name       string
	at         int64 // offset of its header
	start, end int64
}

// boxesIn returns the boxes between two offsets. They must fill the range completely.
func boxesIn(file io.ReaderAt, start, end int64) (boxes []box, err error) {
	for at := start; at < end; {
		var head [16]byte
		n, _ := file.ReadAt(head[:], at)
		if n < 8 || end-at < 8 {
			return nil, fmt.Errorf("%w: incomplete box", ErrCorrupt)
		}
		size, header := int64(binary.BigEndian.Uint32(head[:])), int64(8)
		switch size {
		case 0:
			size = end - at
		case 1:
			size, header = int64(min(binary.BigEndian.Uint64(head[8:]), 1<<62)), 16
		}
		if size < header || size > end-at {
			return nil, fmt.Errorf("%w: box of %d bytes", ErrCorrupt, size)
		}
		boxes = append(boxes, box{string(head[4:8]), at, at + header, at + size})
		if len(boxes) > maxBoxes {
			return nil, fmt.Errorf("%w: too many boxes", ErrCorrupt)
		}
		at += size
	}
	return boxes, nil
}

// fields reads consecutive big-endian numbers from data.
type fields struct {
	data    []byte
	at      int
	isShort bool // data ended too early
}

// uint returns the next number, of up to 8 bytes.
func (f *fields) uint(size uint64) (value uint64) {
	if size > 8 || f.isShort || uint64(len(f.data)-f.at) < size {
		f.isShort = true
		return 0
	}
	for range size {
		value = value<<8 | uint64(f.data[f.at])
		f.at++
	}
	return value
}
