package pictures

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image/png"
	"io"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

// stripPNG copies the chunks that are necessary to show the picture (PNG, third edition, section 4.8).
func stripPNG(in *bufio.Reader, out *writer) (*stripped, error) {
	s := &stripped{mediaType: "image/png", frames: 1, decode: decodePNG}
	if err := skip(in, int64(len(pngSignature))); err != nil {
		return nil, err
	}
	io.WriteString(out, pngSignature)
	controls, isGray := 0, false
	for first := true; ; first = false {
		head, err := read(in, 8)
		if err != nil {
			return nil, err
		}
		size, name := int64(binary.BigEndian.Uint32(head)), string(head[4:])
		if size > 1<<31-1 || first != (name == "IHDR") {
			return nil, fmt.Errorf("%w: invalid chunk %q", ErrCorrupt, name)
		}
		var data []byte // the contents and CRC of a chunk that must be examined
		switch name {
		case "IHDR", "acTL", "fcTL":
			if size > 32 {
				return nil, fmt.Errorf("%w: chunk %s of %d bytes", ErrCorrupt, name, size)
			}
			data, err = read(in, int(size)+4)
		case "iCCP", "eXIf":
			if size > maxProfile {
				return nil, fmt.Errorf("%w: chunk %s of %d bytes", ErrTooLarge, name, size)
			}
			data, err = read(in, int(size)+4)
		}
		if err != nil {
			return nil, err
		}
		isKept := true
		switch name {
		case "IHDR":
			err = s.readIHDR(data[:size])
			isGray = size == 13 && data[9] == 0
		case "fcTL":
			controls++
			s.frames = max(1, controls)
			err = s.check()
		case "iCCP":
			s.profile, isKept = readICCP(data[:size])
		case "tRNS":
			if isGray && s.pixelSize <= 2 { // image/png decodes it as NRGBA
				s.pixelSize, s.memory = 4*s.pixelSize, 4*s.memory
				err = s.check()
			}
		case "eXIf":
			s.orientation, isKept = orientationOf(data[:size]), false
		case "PLTE", "IDAT", "IEND", "gAMA", "cHRM", "sRGB", "sBIT", "cICP", "mDCV", "cLLI", "bKGD", "pHYs", "acTL", "fdAT":
		default:
			isKept = false
		}
		if err == nil && isKept {
			out.Write(head)
			out.Write(data)
		}
		if rest := size + 4; err == nil && data == nil {
			var to io.Writer = io.Discard
			if isKept {
				to = out
			}
			_, err = io.CopyN(to, in, rest)
		}
		if err != nil || name == "IEND" {
			return s, err
		}
	}
}

// readIHDR reads the header.
func (s *stripped) readIHDR(data []byte) error {
	if len(data) != 13 {
		return fmt.Errorf("%w: header of %d bytes", ErrCorrupt, len(data))
	}
	width, height := binary.BigEndian.Uint32(data), binary.BigEndian.Uint32(data[4:])
	s.width, s.height = int(min(width, 1<<30)), int(min(height, 1<<30))
	depth, color, isInterlaced := data[8], data[9], data[12] == 1
	s.pixelSize = map[byte]int64{0: 1, 2: 4, 3: 1, 4: 4, 6: 4}[color]
	if depth == 16 {
		s.pixelSize *= 2
	}
	s.memory = int64(s.width) * int64(s.height) * s.pixelSize
	if isInterlaced {
		s.memory += s.memory / 2 // image/png decodes the last pass, half of the rows, into its own image
	}
	return s.check()
}

// readICCP returns the color profile of an iCCP chunk, unless it inflates to more than maxProfile bytes.
func readICCP(data []byte) (profile []byte, ok bool) {
	name := bytes.IndexByte(data, 0)
	if name < 1 || name > 79 || len(data) < name+2 {
		return nil, false
	}
	inflater, err := zlib.NewReader(bytes.NewReader(data[name+2:]))
	if err != nil {
		return nil, false
	}
	profile, err = io.ReadAll(io.LimitReader(inflater, maxProfile+1))
	return profile, err == nil && len(profile) <= maxProfile
}

// iccpChunk returns an iCCP chunk with the profile.
func iccpChunk(profile []byte) []byte {
	var data bytes.Buffer
	data.WriteString("iCCPprofile\x00\x00")
	deflater := zlib.NewWriter(&data)
	deflater.Write(profile)
	deflater.Close()
	chunk := binary.BigEndian.AppendUint32(nil, uint32(data.Len()-4))
	chunk = append(chunk, data.Bytes()...)
	return binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(data.Bytes()))
}

func decodePNG(file io.ReaderAt) (decoded, error) {
	img, err := png.Decode(bufio.NewReader(io.NewSectionReader(file, 0, 1<<62)))
	return decoded{img: img}, err
}
