package pictures_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"testing"

	"burble/app/pictures"
)

// memoryFolder is set in the process that TestMemoryOfTenPictures starts: a folder with pictures.
const memoryFolder = "PICTURES_TEST_FOLDER"

func TestMain(m *testing.M) {
	if folder := os.Getenv(memoryFolder); folder != "" {
		processFolder(folder)
		return
	}
	os.Exit(m.Run())
}

// processFolder processes ten pictures at once, and prints the peak of the process's memory.
func processFolder(folder string) {
	names, err := filepath.Glob(filepath.Join(folder, "*.in"))
	if err != nil || len(names) == 0 {
		panic("no pictures")
	}
	processor := pictures.New()
	var running sync.WaitGroup
	for i := range 10 {
		running.Go(func() {
			in := must(os.Open(names[i%len(names)]))
			defer in.Close()
			out := must(os.Create(filepath.Join(folder, fmt.Sprint(i, ".out"))))
			defer out.Close()
			picture := must(processor.Process(ctx, in, out))
			fmt.Println(picture.Type, picture.Width, picture.Height, len(picture.Thumbnail))
		})
	}
	running.Wait()
	os.Stdout.Write(must(os.ReadFile("/proc/self/status")))
}

// Ten uploads of 24 megapixels at once.
func TestMemoryOfTenPictures(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("decodes 240 megapixels")
	}
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("no /proc")
	}
	const bound = 256 << 10 // KB
	folder := t.TempDir()
	bounds := image.Rect(0, 0, 6000, 4000)
	gray := image.NewYCbCr(bounds, image.YCbCrSubsampleRatio420)
	jpeg := encodeJPEG(gray)
	for name, data := range map[string][]byte{
		"png":     bombPNG(image.NewNRGBA(bounds)),
		"png16":   bombPNG(opaque16{bounds}),
		"jpeg":    jpeg,
		"rotated": jpegWith(jpeg, jpegSegment(0xe1, "Exif\x00\x00"+exif(binary.BigEndian, 6))),
	} {
		t.Logf("%s of 24 megapixels: %d KB", name, len(data)>>10)
		if err := os.WriteFile(filepath.Join(folder, name+".in"), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), memoryFolder+"="+folder)
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(output)
	if found == nil {
		t.Fatalf("the process did not print its memory:\n%s", output)
	}
	peak, _ := strconv.Atoi(string(found[1]))
	t.Logf("peak memory: %d MB", peak>>10)
	if peak > bound {
		t.Errorf("peak memory is %d MB, want at most %d", peak>>10, bound>>10)
	}
}

// An opaque16 is a gray picture with 16 bits for each channel, which needs no memory.
type opaque16 struct{ bounds image.Rectangle }

func (o opaque16) ColorModel() color.Model { return color.NRGBA64Model }
func (o opaque16) Bounds() image.Rectangle { return o.bounds }
func (o opaque16) At(int, int) color.Color { return color.NRGBA64{1 << 15, 1 << 15, 1 << 15, 1 << 15} }

// bombPNG returns a PNG that is much smaller than its pixels.
func bombPNG(img image.Image) []byte {
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&out, img); err != nil {
		panic(err)
	}
	return out.Bytes()
}
