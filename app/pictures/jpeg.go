package pictures

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"image/jpeg"
	"io"
)

// Markers of JPEG (ITU-T T.81, table B.1).
const (
	markerSOF0, markerSOF1, markerSOF2 = 0xc0, 0xc1, 0xc2
	markerDHT                          = 0xc4
	markerRST0, markerRST7             = 0xd0, 0xd7
	markerSOI, markerEOI, markerSOS    = 0xd8, 0xd9, 0xda
	markerDQT, markerDRI               = 0xdb, 0xdd
	markerAPP0, markerAPP1             = 0xe0, 0xe1
	markerAPP2, markerAPP14            = 0xe2, 0xee
)

const (
	iccPrefix = "ICC_PROFILE\x00"
	// maxScans is the maximum number of scans. Decoding even a short scan visits all pixels.
	maxScans = 100
)

// A jpegStripper copies the segments that are necessary to show the picture.
type jpegStripper struct {
	*stripped
	in    *bufio.Reader
	out   *writer
	scans int

	components string // the components' IDs
	isJFIF     bool
	isAdobeRGB bool // Adobe's color transform is 0: RGB or CMYK, not YCbCr
}

func stripJPEG(in *bufio.Reader, out *writer) (*stripped, error) {
	j := &jpegStripper{stripped: &stripped{mediaType: "image/jpeg", frames: 1, decode: decodeJPEG}, in: in, out: out}
	if err := skip(in, 2); err != nil {
		return nil, err
	}
	out.Write([]byte{0xff, markerSOI})
	marker, err := nextMarker(in)
	for err == nil && marker != markerEOI {
		marker, err = j.segment(marker)
	}
	if err == nil && j.scans == 0 {
		err = fmt.Errorf("%w: no scan", ErrCorrupt)
	}
	out.Write([]byte{0xff, markerEOI})
	if j.isRGB() {
		j.pixelSize = 4
		j.memory += 4 * int64(j.width) * int64(j.height) // for a copy
	}
	return j.stripped, err
}

// segment copies or skips the segment after its marker, and returns the next marker.
func (j *jpegStripper) segment(marker byte) (next byte, err error) {
	data, err := readSegment(j.in)
	if err != nil {
		return 0, err
	}
	switch marker {
	case markerDHT, markerDQT, markerDRI:
	case markerSOF0, markerSOF1, markerSOF2:
		if j.width != 0 {
			return 0, fmt.Errorf("%w: two headers", ErrCorrupt)
		}
		err = j.readSOF(data, marker == markerSOF2)
	case markerSOS:
		if j.scans++; j.scans > maxScans || j.width == 0 {
			return 0, fmt.Errorf("%w: %d scans", ErrCorrupt, j.scans)
		}
		writeSegment(j.out, marker, data)
		return copyScan(j.in, j.out)
	default:
		if marker < markerAPP0 {
			return 0, fmt.Errorf("%w: JPEG with marker %x", ErrUnsupported, marker)
		}
		data, err = j.readAPP(marker, data)
	}
	if err != nil {
		return 0, err
	}
	if data != nil {
		writeSegment(j.out, marker, data)
	}
	return nextMarker(j.in)
}

// nextMarker reads the marker that must come next.
func nextMarker(in *bufio.Reader) (byte, error) {
	if b, err := in.ReadByte(); err != nil || b != 0xff {
		if err == nil {
			err = fmt.Errorf("%w: no marker", ErrCorrupt)
		}
		return 0, err
	}
	return afterFill(in)
}

// afterFill returns the next byte other than 0xff. Any number of 0xff bytes may come before a marker (section B.1.1.2).
func afterFill(in *bufio.Reader) (byte, error) {
	for {
		if b, err := in.ReadByte(); err != nil || b != 0xff {
			return b, err
		}
	}
}

func readSegment(in io.Reader) ([]byte, error) {
	size, err := read(in, 2)
	if err != nil {
		return nil, err
	}
	length := int(binary.BigEndian.Uint16(size))
	if length < 2 {
		return nil, fmt.Errorf("%w: segment of %d bytes", ErrCorrupt, length)
	}
	return read(in, length-2)
}

func writeSegment(out io.Writer, marker byte, segment []byte) {
	out.Write(binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(segment)+2)))
	out.Write(segment)
}

// copyScan copies the data of a scan, and returns the marker after it.
func copyScan(in *bufio.Reader, out io.Writer) (marker byte, err error) {
	for {
		data, err := in.ReadSlice(0xff)
		if err == bufio.ErrBufferFull {
			out.Write(data)
			continue
		}
		if err != nil {
			return 0, err
		}
		out.Write(data[:len(data)-1])
		next, err := afterFill(in)
		if err != nil || next != 0 && (next < markerRST0 || next > markerRST7) {
			return next, err
		}
		out.Write([]byte{0xff, next})
	}
}

// readSOF reads the header of the frame.
func (s *jpegStripper) readSOF(data []byte, isProgressive bool) error {
	if len(data) < 6 || len(data) != 6+3*int(data[5]) || data[0] != 8 {
		return fmt.Errorf("%w: JPEG without 8 bits per sample", ErrUnsupported)
	}
	s.height, s.width = int(binary.BigEndian.Uint16(data[1:])), int(binary.BigEndian.Uint16(data[3:]))
	var largest, samples int64
	for i := 7; i < len(data); i += 3 {
		s.components += string(data[i-1])
		area := int64(data[i]>>4) * int64(data[i]&15)
		largest, samples = max(largest, area), samples+area
	}
	if largest == 0 {
		return fmt.Errorf("%w: no samples", ErrCorrupt)
	}
	pixels := int64(s.width) * int64(s.height)
	s.pixelSize = (samples + largest - 1) / largest
	s.memory = pixels * samples / largest
	if isProgressive {
		s.memory *= 5 // a 4-byte coefficient for each sample, in addition to the sample
	}
	if len(data) > 6+3*3 {
		s.pixelSize = 4
		s.memory += 4 * pixels // for a copy in CMYK
	}
	return s.check()
}

// isRGB reports whether package image/jpeg decodes the components as RGB instead of YCbCr.
func (s *jpegStripper) isRGB() bool {
	return len(s.components) == 3 && !s.isJFIF && (s.isAdobeRGB || s.components == "RGB")
}

// readAPP returns the part of an APP segment or comment to keep, or nil.
func (s *jpegStripper) readAPP(marker byte, data []byte) ([]byte, error) {
	switch {
	case marker == markerAPP0 && hasPrefix(data, "JFIF\x00") && len(data) >= 14:
		s.isJFIF = true
		return append(data[:12:12], 0, 0), nil // without its thumbnail
	case marker == markerAPP14 && hasPrefix(data, "Adobe") && len(data) >= 12:
		s.isAdobeRGB = s.isAdobeRGB || data[11] == 0
		return data[:12], nil // the color transform
	case marker == markerAPP1 && hasPrefix(data, "Exif\x00\x00"):
		if s.orientation == 0 {
			s.orientation = orientationOf(data[6:])
		}
	case marker == markerAPP2 && hasPrefix(data, iccPrefix) && len(data) > len(iccPrefix)+2:
		s.profile = append(s.profile, data[len(iccPrefix)+2:]...)
		if len(s.profile) > maxProfile {
			return nil, fmt.Errorf("%w: color profile of more than %d bytes", ErrTooLarge, maxProfile)
		}
		return data, nil
	}
	return nil, nil
}

// iccSegments returns APP2 segments with the profile.
func iccSegments(profile []byte) []byte {
	const part = 65000
	var segments bytes.Buffer
	parts := (len(profile) + part - 1) / part
	for i := range parts {
		head := append([]byte(iccPrefix), byte(i+1), byte(parts))
		writeSegment(&segments, markerAPP2, append(head, profile[i*part:min(len(profile), (i+1)*part)]...))
	}
	return segments.Bytes()
}

func decodeJPEG(file io.ReaderAt) (decoded, error) {
	img, err := jpeg.Decode(bufio.NewReader(io.NewSectionReader(file, 0, 1<<62)))
	return decoded{img: img}, err
}
