package pictures_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"burble/app/pictures"
)

func TestTooLarge(t *testing.T) {
	t.Parallel()
	frame := ",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00"
	gifHead := func(width, height uint16) string {
		head := binary.LittleEndian.AppendUint16([]byte("GIF89a"), width)
		return string(append(binary.LittleEndian.AppendUint16(head, height), 0x80, 0, 0, 0, 0, 0, 255, 255, 255))
	}
	vp8l := func(width, height uint32) string {
		return riffChunk("VP8L", "\x2f"+string(binary.LittleEndian.AppendUint32(nil, width-1|(height-1)<<14))+strings.Repeat("\x00", 10))
	}
	tests := map[string][]byte{
		"PNG of 25 megapixels":        pngHeader(5000, 5000, 8, 2, 0),
		"PNG of 4 billion pixels":     pngHeader(1<<31, 1<<31, 1, 0, 0),
		"wide PNG":                    pngHeader(30_001, 1, 8, 2, 0),
		"high PNG":                    pngHeader(1, 30_001, 8, 2, 0),
		"interlaced 16-bit PNG":       pngHeader(6000, 4000, 16, 6, 1),
		"JPEG of 4 gigapixels":        jpegHeader(0xc0, 65535, 65535, 0x22),
		"progressive JPEG of 4:4:4":   jpegHeader(0xc2, 6000, 4000, 0x11),
		"GIF of 4 gigapixels":         []byte(gifHead(65535, 65535)),
		"GIF of 100,000 frames":       []byte(gifHead(1, 1) + strings.Repeat(frame, 100_000) + ";"),
		"GIF of 50 large frames":      []byte(gifHead(6000, 4000) + strings.Repeat(frame, 50) + ";"),
		"animated PNG of many frames": pngWith(encodePNG(quarters(2, 2)), strings.Repeat(pngChunk("fcTL", strings.Repeat("\x00", 26)), 100_000)),
		"WebP of 16,384 x 16,384":     webpWith(vp8l(16384, 16384)),
		"WebP header of 16 gigapixel": webpWith(vp8x(0, 1<<24, 1<<24)),
		"WebP of many frames":         webpWith(vp8x(2, 1, 1), strings.Repeat(animationFrame(0, 0, 1, 1, vp8l(1, 1)), 3000)),
		"JPEG profile of 2 MB":        jpegWith(encodeJPEG(quarters(8, 8)), strings.Repeat(jpegSegment(0xe2, "ICC_PROFILE\x00\x01\x01"+strings.Repeat("a", 60_000)), 40)),
		"PNG profile of 2 MB":         pngWith(encodePNG(quarters(8, 8)), pngChunk("iCCP", strings.Repeat("a", 2<<20))),
	}
	for name, data := range tests {
		if picture, _, err := process(t, data); !errors.Is(err, pictures.ErrTooLarge) {
			t.Errorf("%s: got %+v and the error %v, want %v", name, picture, err, pictures.ErrTooLarge)
		}
	}
}

func TestLargestPicturesAreAllowed(t *testing.T) {
	t.Parallel()
	for name, data := range map[string][]byte{ // headers without data, so that decoding fails
		"PNG":                  pngHeader(6000, 4000, 8, 6, 0),
		"interlaced PNG":       pngHeader(6000, 4000, 8, 6, 1),
		"16-bit PNG":           pngHeader(6000, 4000, 16, 6, 0),
		"JPEG":                 jpegHeader(0xc0, 6000, 4000, 0x11),
		"progressive JPEG":     jpegHeader(0xc2, 6000, 4000, 0x22),
		"progressive 13 MP":    jpegHeader(0xc2, 4160, 3120, 0x11),
		"progressive, rotated": jpegWith(jpegHeader(0xc2, 6000, 4000, 0x22), jpegSegment(0xe1, "Exif\x00\x00"+exif(binary.BigEndian, 6))),
	} {
		if _, _, err := process(t, data); !errors.Is(err, pictures.ErrCorrupt) {
			t.Errorf("%s: got the error %v, want %v", name, err, pictures.ErrCorrupt)
		}
	}
}

func TestInvalidHeaders(t *testing.T) {
	t.Parallel()
	small, big := encodePNG(quarters(8, 8)), pngHeader(4000, 4000, 8, 6, 0)
	lossy := webpChunks(sampleWebP("blue-purple-pink.lossy.webp"))["VP8 "]
	gif := encodeGIF(8, 8, 2)
	gifFrame := bytes.IndexByte(gif[13:], ',') + 13
	bigFrame := bytes.Clone(gif)
	binary.LittleEndian.PutUint16(bigFrame[gifFrame+5:], 60_000)
	tests := map[string][]byte{
		"PNG larger than its data":         append(bytes.Clone(big), small[pngHeaderEnd:]...),
		"PNG of 0 pixels":                  pngHeader(0, 10, 8, 6, 0),
		"PNG with two headers":             pngWith(small, string(big[8:])),
		"PNG without header":               []byte("\x89PNG\r\n\x1a\n" + pngChunk("IDAT", "")),
		"PNG chunk of 4 GB":                append(bytes.Clone(small[:pngHeaderEnd]), "\xff\xff\xff\xffIDAT"...),
		"PNG with a wrong checksum":        bytes.Replace(small, []byte("IDAT"), []byte("IDAT\x01"), 1),
		"JPEG with two headers":            jpegWith(encodeJPEG(quarters(8, 8)), jpegSegment(0xc0, "\x08\x00\x08\x00\x08\x01\x01\x11\x00")),
		"JPEG without a scan":              []byte("\xff\xd8\xff\xdb\x00\x02\xff\xd9"),
		"JPEG segment of 0 bytes":          []byte("\xff\xd8\xff\xe0\x00\x00\xff\xd9"),
		"JPEG of many scans":               append(jpegHeader(0xc0, 8, 8, 0x11)[:40], strings.Repeat(jpegSegment(0xda, "\x01\x01\x00\x00\x3f\x00"), 200)...),
		"GIF frame larger than GIF":        bigFrame,
		"GIF without a frame":              []byte("GIF89a\x08\x00\x08\x00\x00\x00\x00;"),
		"GIF of 0 pixels":                  []byte("GIF89a\x00\x00\x00\x00\x00\x00\x00;"),
		"WebP larger than its header":      webpWith(vp8x(0, 1, 1), riffChunk("VP8 ", lossy)),
		"WebP frame larger than its frame": webpWith(vp8x(2, 150, 100), animationFrame(0, 0, 10, 10, riffChunk("VP8 ", lossy))),
		"WebP frame outside":               webpWith(vp8x(2, 150, 100), animationFrame(100, 0, 150, 100, riffChunk("VP8 ", lossy))),
		"WebP chunk larger than the file":  webpWith("VP8 \xff\xff\xff\x7f" + lossy),
		"WebP chunk larger than its frame": webpWith(vp8x(2, 150, 100), animationFrame(0, 0, 150, 100, "VP8 \xff\xff\xff\x7f"+lossy)),
		"WebP without a frame":             webpWith(vp8x(0, 150, 100)),
		"WebP with two headers":            webpWith(vp8x(0, 150, 100), vp8x(0, 1, 1), riffChunk("VP8 ", lossy)),
	}
	for name, data := range tests {
		if picture, _, err := process(t, data); !errors.Is(err, pictures.ErrCorrupt) {
			t.Errorf("%s: got %+v and the error %v, want %v", name, picture, err, pictures.ErrCorrupt)
		}
	}
}

func TestUnsupportedFormats(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"nothing": "", "text": "hello", "HTML": "<!doctype html><img src=x onerror=alert(1)>", "SVG": `<svg xmlns="http://www.w3.org/2000/svg"/>`,
		"BMP": "BM" + strings.Repeat("\x00", 60), "TIFF": "II*\x00\x08\x00\x00\x00", "PDF": "%PDF-1.7", "a byte": "\xff", "RIFF": "RIFF\x04\x00\x00\x00WAVE",
		"HEIC": "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00heicmif1", "MP4": "\x00\x00\x00\x14ftypisom\x00\x00\x00\x00isom", "HTML before a PNG": "<html>" + string(encodePNG(quarters(2, 2))),
		"arithmetic JPEG": string(jpegHeader(0xc9, 8, 8, 0x11)), "12-bit JPEG": strings.Replace(string(jpegHeader(0xc1, 8, 8, 0x11)), "\x08", "\x0c", 1),
	} {
		if picture, _, err := process(t, []byte(data)); !errors.Is(err, pictures.ErrUnsupported) {
			t.Errorf("%s: got %+v and the error %v, want %v", name, picture, err, pictures.ErrUnsupported)
		}
	}
}

func TestTruncatedPictures(t *testing.T) {
	t.Parallel()
	for name, data := range samples() {
		_, stored := mustProcess(t, data)
		step := max(1, len(stored)/200)
		for size := 0; size < len(stored); size += step {
			picture, _, err := process(t, stored[:size])
			isComplete := name == "GIF" && err == nil // cut at the end of a frame
			if !isComplete && !errors.Is(err, pictures.ErrCorrupt) && !errors.Is(err, pictures.ErrUnsupported) {
				t.Errorf("%s cut to %d of %d bytes: got %+v and the error %v, want ErrCorrupt or ErrUnsupported", name, size, len(stored), picture, err)
			}
		}
	}
}

// A color profile may be small in the file but inflate to a huge size.
func TestDecompressionBombInProfile(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	deflater := zlib.NewWriter(&bomb)
	for range 10 {
		deflater.Write(make([]byte, 1<<20))
	}
	deflater.Close()
	_, stored := mustProcess(t, pngWith(encodePNG(quarters(8, 8)), pngChunk("iCCP", "a\x00\x00"+bomb.String())))
	if bytes.Contains(stored, []byte("iCCP")) {
		t.Error("the stored picture contains the profile")
	}
	expectSamePixels(t, stored, encodePNG(quarters(8, 8)))
}

func TestProcessWaitsForOthers(t *testing.T) {
	t.Parallel()
	processor := pictures.New()
	release := processor.Occupy()
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	waiting, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		_, err := processor.Process(waiting, bytes.NewReader(encodePNG(quarters(8, 8))), file)
		ended <- err
	}()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Process returned %v, want %v", err, context.Canceled)
	}
	release()
	if err := file.Truncate(0); err != nil {
		t.Fatal(err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if _, err := processor.Process(ctx, bytes.NewReader(encodePNG(quarters(8, 8))), file); err != nil {
		t.Errorf("process a picture after the other one: %v", err)
	}
}

func FuzzProcess(f *testing.F) {
	for _, data := range samples() {
		f.Add(data)
	}
	f.Add(avifSample{brand: "avif", width: 640, height: 480}.encode())
	f.Add(jpegWith(encodeJPEG(quarters(16, 8)), jpegSegment(0xe1, "Exif\x00\x00"+exif(binary.BigEndian, 6))))
	f.Fuzz(func(t *testing.T, data []byte) {
		picture, stored, err := process(t, data)
		if err != nil {
			if !errors.Is(err, pictures.ErrCorrupt) && !errors.Is(err, pictures.ErrTooLarge) && !errors.Is(err, pictures.ErrUnsupported) {
				t.Fatalf("got the error %v, want ErrCorrupt, ErrTooLarge or ErrUnsupported", err)
			}
			return
		}
		if pixels := picture.Width * picture.Height; pixels < 1 || pixels > pictures.MaxPixels {
			t.Fatalf("accepted a picture of %d x %d pixels, want 1 to %d pixels", picture.Width, picture.Height, pictures.MaxPixels)
		}
		if picture.Type != "image/avif" && len(stored) > 0 {
			again, _, err := process(t, stored)
			if err != nil || again.Width != picture.Width || again.Height != picture.Height {
				t.Fatalf("processing the stored picture again: got %+v and the error %v, want %+v", again, err, picture)
			}
		}
	})
}
