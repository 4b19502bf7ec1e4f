package pictures

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"image/gif"
	"io"
)

// stripGIF copies the blocks that are necessary to show the picture (GIF89a, appendix B).
func stripGIF(in *bufio.Reader, out *writer) (*stripped, error) {
	s := &stripped{mediaType: "image/gif", decode: decodeGIF, pixelSize: 4}
	head, err := read(in, 13)
	if err != nil {
		return nil, err
	}
	s.width, s.height = int(binary.LittleEndian.Uint16(head[6:])), int(binary.LittleEndian.Uint16(head[8:]))
	s.memory = int64(s.width) * int64(s.height) * 5 // 1 byte per pixel for the frame, 4 for the whole picture
	if err := s.check(); err != nil {
		return nil, err
	}
	out.Write(head)
	if err := copyColors(in, out, head[10]); err != nil {
		return nil, err
	}
	for {
		kind, err := in.ReadByte()
		if err == io.EOF && s.frames > 0 {
			kind, err = ';', nil // browsers accept a missing trailer
		}
		if err != nil {
			return nil, err
		}
		switch kind {
		case ';':
			out.Write([]byte{';'})
			if s.frames == 0 {
				return nil, fmt.Errorf("%w: no frame", ErrCorrupt)
			}
			return s, nil
		case '!':
			err = copyExtension(in, out)
		case ',':
			err = s.copyFrame(in, out)
		default:
			err = fmt.Errorf("%w: block %x", ErrCorrupt, kind)
		}
		if err != nil {
			return nil, err
		}
	}
}

// copyColors copies the color table, if the flags announce one.
func copyColors(in io.Reader, out io.Writer, flags byte) error {
	if flags&0x80 == 0 {
		return nil
	}
	_, err := io.CopyN(out, in, 3<<(flags&7+1))
	return err
}

// copyExtension copies the extension if it controls a frame's delay or the number of loops, and skips any other.
func copyExtension(in *bufio.Reader, out io.Writer) error {
	label, err := in.ReadByte()
	if err != nil {
		return err
	}
	isKept := label == 0xf9
	if label == 0xff {
		head, err := in.Peek(12)
		if err != nil {
			return err
		}
		isKept = string(head) == "\x0bNETSCAPE2.0" || string(head) == "\x0bANIMEXTS1.0"
	}
	if !isKept {
		return copyBlocks(in, io.Discard)
	}
	out.Write([]byte{'!', label})
	return copyBlocks(in, out)
}

// copyBlocks copies data sub-blocks up to and including the terminator.
func copyBlocks(in *bufio.Reader, out io.Writer) error {
	for {
		size, err := in.ReadByte()
		if err != nil {
			return err
		}
		out.Write([]byte{size})
		if size == 0 {
			return nil
		}
		if _, err := io.CopyN(out, in, int64(size)); err != nil {
			return err
		}
	}
}

func (s *stripped) copyFrame(in *bufio.Reader, out io.Writer) error {
	s.frames++
	if err := s.check(); err != nil {
		return err
	}
	head, err := read(in, 9)
	if err != nil {
		return err
	}
	right := int(binary.LittleEndian.Uint16(head)) + int(binary.LittleEndian.Uint16(head[4:]))
	bottom := int(binary.LittleEndian.Uint16(head[2:])) + int(binary.LittleEndian.Uint16(head[6:]))
	if right > s.width || bottom > s.height {
		return fmt.Errorf("%w: a frame is larger than the picture", ErrCorrupt)
	}
	out.Write([]byte{','})
	out.Write(head)
	if err := copyColors(in, out, head[8]); err != nil {
		return err
	}
	if _, err := io.CopyN(out, in, 1); err != nil { // LZW minimum code size
		return err
	}
	return copyBlocks(in, out)
}

func decodeGIF(file io.ReaderAt) (decoded, error) {
	img, err := gif.Decode(bufio.NewReader(io.NewSectionReader(file, 0, 1<<62))) // the first frame only
	return decoded{img: img}, err
}
