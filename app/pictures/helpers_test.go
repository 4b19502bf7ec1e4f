package pictures_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"burble/app/pictures"
)

// Helpers of this package's tests:
//
//	process, mustProcess                process a picture and return its description and the stored file
//	quarters                            draws a picture with four colors
//	encodePNG, encodeJPEG, encodeGIF    encode pictures
//	opaque16                            is a picture whose PNG is much smaller than its pixels
//	pngChunk, pngWith, pngHeader        build PNGs
//	jpegSegment, jpegWith, jpegHeader   build JPEGs
//	exif                                builds EXIF with an orientation and the secret
//	riffChunk, webpWith, vp8x           build WebPs
//	sampleWebP, webpChunks              read WebPs
//	expectSamePixels                    compares two encoded pictures
//	secret                              text in metadata that must not be stored

var ctx = context.Background()

const secret = "51.4778N 0.0014W secret location"

var orders = []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian}

func process(t testing.TB, data []byte) (pictures.Picture, []byte, error) {
	t.Helper()
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	picture, err := pictures.New().Process(ctx, bytes.NewReader(data), file)
	stored, readErr := os.ReadFile(file.Name())
	if readErr != nil {
		t.Fatal(readErr)
	}
	return picture, stored, err
}

func mustProcess(t testing.TB, data []byte) (pictures.Picture, []byte) {
	t.Helper()
	picture, stored, err := process(t, data)
	if err != nil {
		t.Fatal(err)
	}
	return picture, stored
}

var (
	red, green  = color.NRGBA{255, 0, 0, 255}, color.NRGBA{0, 255, 0, 255}
	blue, white = color.NRGBA{0, 0, 255, 255}, color.NRGBA{255, 255, 255, 255}
)

// quarters returns a picture that is red at the top left, green at the top right, blue and white at the bottom.
func quarters(width, height int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.SetNRGBA(x, y, [2][2]color.NRGBA{{red, green}, {blue, white}}[2*y/height][2*x/width])
		}
	}
	return img
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func encodePNG(img image.Image) []byte {
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&out, img); err != nil {
		panic(err)
	}
	return out.Bytes()
}

func encodeJPEG(img image.Image) []byte {
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 95}); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// encodeGIF returns an animation whose frames have one color each.
func encodeGIF(width, height, frames int) []byte {
	var all gif.GIF
	for i := range frames {
		img := image.NewPaletted(image.Rect(0, 0, width, height), color.Palette{red, green, blue, white})
		for at := range img.Pix {
			img.Pix[at] = byte(i % 4)
		}
		all.Image, all.Delay = append(all.Image, img), append(all.Delay, 10)
	}
	var out bytes.Buffer
	if err := gif.EncodeAll(&out, &all); err != nil {
		panic(err)
	}
	return out.Bytes()
}

func pngChunk(name, data string) string {
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	chunk = append(append(chunk, name...), data...)
	return string(binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:])))
}

const pngHeaderEnd = 8 + 25

// pngWith returns the PNG with chunks after its header.
func pngWith(data []byte, chunks ...string) []byte {
	return []byte(string(data[:pngHeaderEnd]) + strings.Join(chunks, "") + string(data[pngHeaderEnd:]))
}

// pngHeader returns the beginning of a PNG.
func pngHeader(width, height uint32, depth, colorType, interlace byte) []byte {
	data := binary.BigEndian.AppendUint32(nil, width)
	data = binary.BigEndian.AppendUint32(data, height)
	data = append(data, depth, colorType, 0, 0, interlace)
	return []byte("\x89PNG\r\n\x1a\n" + pngChunk("IHDR", string(data)))
}

func jpegSegment(marker byte, data string) string {
	return string(binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(data)+2))) + data
}

// jpegWith returns the JPEG with segments at its beginning.
func jpegWith(data []byte, segments ...string) []byte {
	return []byte("\xff\xd8" + strings.Join(segments, "") + string(data[2:]))
}

// jpegHeader returns a JPEG with three components and no data. sampling is that of the first one.
func jpegHeader(marker byte, width, height int, sampling byte) []byte {
	frame := []byte{8, byte(height >> 8), byte(height), byte(width >> 8), byte(width), 3, 1, sampling, 0, 2, 0x11, 0, 3, 0x11, 0}
	return []byte("\xff\xd8" + jpegSegment(marker, string(frame)) + jpegSegment(0xda, "\x03\x01\x00\x02\x00\x03\x00\x00\x3f\x00") + "\x00\xff\xd9")
}

// exif returns EXIF with an orientation and the secret.
func exif(order binary.AppendByteOrder, orientation uint16) string {
	data := []byte("II*\x00")
	if order == binary.AppendByteOrder(binary.BigEndian) {
		data = []byte("MM\x00*")
	}
	entry := func(tag, kind uint16, count uint32) {
		data = order.AppendUint16(data, tag)
		data = order.AppendUint16(data, kind)
		data = order.AppendUint32(data, count)
	}
	data = order.AppendUint32(data, 8)
	data = order.AppendUint16(data, 2)
	entry(0x010e, 2, uint32(len(secret)))
	data = order.AppendUint32(data, 8+2+2*12+4)
	entry(0x0112, 3, 1)
	data = order.AppendUint16(data, orientation)
	data = append(data, 0, 0)
	data = order.AppendUint32(data, 0)
	return string(data) + secret
}

func riffChunk(name, data string) string {
	chunk := name + string(binary.LittleEndian.AppendUint32(nil, uint32(len(data)))) + data
	return chunk + strings.Repeat("\x00", len(data)%2)
}

func webpWith(chunks ...string) []byte {
	return []byte(riffChunk("RIFF", "WEBP"+strings.Join(chunks, "")))
}

func uint24(n int) string { return string([]byte{byte(n), byte(n >> 8), byte(n >> 16)}) }

// vp8x returns the header of an extended WebP.
func vp8x(flags byte, width, height int) string {
	return riffChunk("VP8X", string([]byte{flags, 0, 0, 0})+uint24(width-1)+uint24(height-1))
}

// animationFrame returns a frame with the chunks.
func animationFrame(x, y, width, height int, chunks ...string) string {
	return riffChunk("ANMF", uint24(x/2)+uint24(y/2)+uint24(width-1)+uint24(height-1)+uint24(100)+"\x00"+strings.Join(chunks, ""))
}

var moduleFolder = sync.OnceValue(func() string {
	folder, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/image").Output()
	if err != nil {
		panic(err)
	}
	return strings.TrimSpace(string(folder))
})

// sampleWebP returns a file of golang.org/x/image's test data.
func sampleWebP(name string) []byte {
	return must(os.ReadFile(filepath.Join(moduleFolder(), "testdata", name)))
}

// webpChunks returns the chunks of a WebP.
func webpChunks(data []byte) map[string]string {
	chunks := map[string]string{}
	for data = data[12:]; len(data) >= 8; {
		size := int(binary.LittleEndian.Uint32(data[4:]))
		chunks[string(data[:4])] = string(data[8 : 8+size])
		data = data[8+size+size%2:]
	}
	return chunks
}

func decode(t testing.TB, data []byte) image.Image {
	t.Helper()
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// expectSamePixels compares two encoded pictures.
func expectSamePixels(t *testing.T, got, want []byte) {
	t.Helper()
	gotImage, wantImage := decode(t, got), decode(t, want)
	if gotImage.Bounds() != wantImage.Bounds() {
		t.Fatalf("stored a picture of %v, want %v", gotImage.Bounds(), wantImage.Bounds())
	}
	for y := range gotImage.Bounds().Dy() {
		for x := range gotImage.Bounds().Dx() {
			if gotImage.At(x, y) != wantImage.At(x, y) {
				t.Fatalf("the pixel at %d, %d is %v, want %v", x, y, gotImage.At(x, y), wantImage.At(x, y))
			}
		}
	}
}

// nearest returns the color of quarters that is nearest to c.
func nearest(c color.Color) color.NRGBA {
	r, g, b, _ := c.RGBA()
	return color.NRGBA{uint8(r >> 15 * 255), uint8(g >> 15 * 255), uint8(b >> 15 * 255), 255}
}

// An opaque16 is a gray picture with 16 bits for each channel. It needs no memory for its pixels.
type opaque16 struct{ bounds image.Rectangle }

func (o opaque16) ColorModel() color.Model { return color.NRGBA64Model }
func (o opaque16) Bounds() image.Rectangle { return o.bounds }
func (o opaque16) At(int, int) color.Color { return color.NRGBA64{1 << 15, 1 << 15, 1 << 15, 1 << 15} }
