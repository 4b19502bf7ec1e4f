package pictures

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/kovidgoyal/imaging"
)

const (
	// MaxPixels is the maximum number of pixels of a picture.
	MaxPixels = 24_000_000
	// MaxSide is the maximum width and height.
	MaxSide = 30_000
	// MaxFrames is the maximum number of frames of an animation.
	MaxFrames = 2_000
	// ThumbnailSide is the maximum width and height of a thumbnail.
	ThumbnailSide = 640

	// maxAnimation is the maximum number of pixels of all frames together.
	maxAnimation = 1_000_000_000
	// maxMemory limits the bytes that decoding a picture needs. It allows 24 megapixels in all common formats.
	maxMemory = 200_000_000
	// maxProfile is the maximum size of a color profile.
	maxProfile = 1 << 20
	// maxEXIF is the number of EXIF bytes that are searched for the orientation.
	maxEXIF = 64 << 10
)

var (
	// ErrUnsupported means that the file is not a picture in a format that this package supports.
	ErrUnsupported = errors.New("unsupported picture format")
	// ErrTooLarge means that the picture has too many pixels or frames, or needs too much memory.
	ErrTooLarge = errors.New("picture too large")
	// ErrCorrupt means that the picture is damaged or incomplete.
	ErrCorrupt = errors.New("corrupt picture")
)

// A Picture describes a stored picture.
type Picture struct {
	Type          string // media type, which can differ from that of the upload
	Width, Height int    // as shown
	Color         string // average, as "#rrggbb"; empty for AVIF, and for WebP that is lossless and large
	Animated      bool

	// Thumbnail is a smaller still picture. It is nil if the picture is small and not animated, or if Color is empty.
	Thumbnail     []byte
	ThumbnailType string
}

// A Processor processes pictures and decodes one at a time. A server needs only one.
type Processor struct{ decoding chan struct{} }

// New returns a Processor.
func New() *Processor {
	imaging.SetMaxProcs(1) // leave the other CPUs to the chat
	return &Processor{decoding: make(chan struct{}, 1)}
}

// Process reads a picture from src and writes the picture to store to dst, which must be empty. It returns ctx's error
// if ctx ends while other pictures are being decoded.
func (p *Processor) Process(ctx context.Context, src io.ReadSeeker, dst *os.File) (Picture, error) {
	stripped, err := strip(src, dst)
	if err != nil {
		return Picture{}, err
	}
	picture := Picture{Type: stripped.mediaType, Width: stripped.width, Height: stripped.height, Animated: stripped.frames > 1}
	if stripped.decode == nil {
		return picture, nil
	}
	select {
	case p.decoding <- struct{}{}:
		defer func() { <-p.decoding }()
	case <-ctx.Done():
		return Picture{}, fmt.Errorf("wait to decode a picture: %w", ctx.Err())
	}
	if err := ctx.Err(); err != nil {
		return Picture{}, err
	}
	err = finish(stripped, dst, &picture)
	return picture, err
}

// stripped describes a picture that strip has written to a file without its metadata.
type stripped struct {
	mediaType     string
	width, height int
	frames        int
	orientation   int    // 1 to 8, as in EXIF; 0 means 1
	profile       []byte // ICC
	memory        int64  // bytes that decoding needs
	pixelSize     int64  // bytes of a decoded pixel

	// decode decodes the picture, or its first frame. It is nil if that is not possible.
	decode func(file io.ReaderAt) (decoded, error)
}

// strip copies the picture without metadata, and checks whether it may be decoded.
func strip(src io.ReadSeeker, dst *os.File) (*stripped, error) {
	if _, err := src.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read a picture: %w", err)
	}
	in := bufio.NewReaderSize(src, 32<<10)
	out := &writer{file: dst, buffer: bufio.NewWriterSize(dst, 32<<10)}
	head, _ := in.Peek(12)
	var found *stripped
	var err error
	switch {
	case hasPrefix(head, pngSignature):
		found, err = stripPNG(in, out)
	case hasPrefix(head, "\xff\xd8\xff"):
		found, err = stripJPEG(in, out)
	case hasPrefix(head, "GIF87a"), hasPrefix(head, "GIF89a"):
		found, err = stripGIF(in, out)
	case len(head) == 12 && hasPrefix(head, "RIFF") && string(head[8:]) == "WEBP":
		found, err = stripWebP(in, out)
	case len(head) == 12 && string(head[4:8]) == "ftyp":
		found, err = stripAVIF(src, out)
	default:
		return nil, ErrUnsupported
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("%w: unexpected end of file", ErrCorrupt)
	}
	if err != nil {
		return nil, err
	}
	if err := out.buffer.Flush(); err != nil {
		return nil, fmt.Errorf("write a picture: %w", err)
	}
	return found, found.check()
}

func hasPrefix(head []byte, prefix string) bool {
	return len(head) >= len(prefix) && string(head[:len(prefix)]) == prefix
}

// check returns an error unless the picture may be decoded. Each format calls it as soon as it knows the fields.
func (s *stripped) check() error {
	pixels := int64(s.width) * int64(s.height)
	memory := s.memory
	if s.orientation > 1 {
		memory = max(memory, pixels*(s.pixelSize+4)) // the picture and a rotated copy
	}
	switch {
	case s.width < 1 || s.height < 1:
		return fmt.Errorf("%w: %d x %d pixels", ErrCorrupt, s.width, s.height)
	case s.width > MaxSide || s.height > MaxSide || pixels > MaxPixels:
		return fmt.Errorf("%w: %d x %d pixels", ErrTooLarge, s.width, s.height)
	case s.frames > MaxFrames || int64(s.frames)*pixels > maxAnimation:
		return fmt.Errorf("%w: at least %d frames of %d x %d pixels", ErrTooLarge, s.frames, s.width, s.height)
	case memory > maxMemory:
		return fmt.Errorf("%w: %d x %d pixels in a format that needs %d MB", ErrTooLarge, s.width, s.height, memory/1e6)
	}
	return nil
}

// A writer writes to a file and counts the bytes.
type writer struct {
	file   *os.File
	buffer *bufio.Writer
	size   int64
}

func (w *writer) Write(p []byte) (int, error) {
	n, err := w.buffer.Write(p)
	w.size += int64(n)
	return n, err
}

// patch overwrites bytes at an offset.
func (w *writer) patch(p []byte, at int64) error {
	if err := w.buffer.Flush(); err != nil {
		return err
	}
	_, err := w.file.WriteAt(p, at)
	return err
}

// read returns the next n bytes.
func read(in io.Reader, n int) ([]byte, error) {
	data := make([]byte, n)
	_, err := io.ReadFull(in, data)
	return data, err
}

// skip discards the next n bytes.
func skip(in io.Reader, n int64) error {
	_, err := io.CopyN(io.Discard, in, n)
	return err
}
