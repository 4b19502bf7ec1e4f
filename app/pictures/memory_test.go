//go:build !race

package pictures_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"testing"

	"burble/app/pictures"
	"burble/streams/redistest"
)

// Environment variables of the process that TestCostOfTenPictures starts.
const (
	memoryFolder = "PICTURES_TEST_FOLDER" // a folder with pictures
	memoryCount  = "PICTURES_TEST_COUNT"  // the number of pictures to process
)

func TestMain(m *testing.M) {
	if folder := os.Getenv(memoryFolder); folder != "" {
		processFolder(folder)
		return
	}
	os.Exit(m.Run())
}

// processFolder processes pictures concurrently and prints the process's status, which includes its peak memory.
func processFolder(folder string) {
	names, err := filepath.Glob(filepath.Join(folder, "*.in"))
	if err != nil || len(names) == 0 {
		panic("no pictures")
	}
	processor := pictures.New()
	var running sync.WaitGroup
	count, _ := strconv.Atoi(os.Getenv(memoryCount))
	for i := range count {
		running.Go(func() {
			in := must(os.Open(names[i%len(names)]))
			defer in.Close()
			out := must(os.Create(filepath.Join(folder, fmt.Sprint(i, ".out"))))
			defer out.Close()
			picture, err := processor.Process(ctx, in, out)
			fmt.Println(picture.Type, picture.Width, picture.Height, len(picture.Thumbnail), err)
		})
	}
	running.Wait()
	os.Stdout.Write(must(os.ReadFile("/proc/self/status")))
}

// Concurrent uploads of 24 megapixels each must fit in the memory of a small server.
func TestCostOfTenPictures(t *testing.T) {
	redistest.SkipUnlessLong(t)
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("no /proc")
	}
	bounds := image.Rect(0, 0, largeWidth, largeHeight)
	jpeg := encodeJPEG(image.NewYCbCr(bounds, image.YCbCrSubsampleRatio420))
	rotated := func(data []byte) []byte {
		return jpegWith(data, jpegSegment(0xe1, "Exif\x00\x00"+exif(binary.BigEndian, 6)))
	}
	const baseline, progressive, cmyk, rgb = 0xc0, 0xc2, "\x00", "\x00"
	for name, files := range map[string][][]byte{
		"common":          {encodePNG(image.NewNRGBA(bounds)), encodePNG(opaque16{bounds}), jpeg, rotated(jpeg)},
		"progressive":     {flatJPEG(progressive, "", 0x22, 0x11, 0x11)},
		"CMYK":            {flatJPEG(baseline, cmyk, 0x11, 0x11, 0x11, 0x11)},
		"CMYK, rotated":   {rotated(flatJPEG(baseline, cmyk, 0x11, 0x11, 0x11, 0x11))},
		"CMYK, 4:2:0":     {rotated(flatJPEG(progressive, cmyk, 0x22, 0x11, 0x11, 0x22))},
		"RGB":             {flatJPEG(baseline, rgb, 0x11, 0x11, 0x11)},
		"RGB, 4:2:0":      {flatJPEG(progressive, rgb, 0x22, 0x11, 0x11)},
		"RGB, rotated":    {rotated(flatJPEG(baseline, rgb, 0x11, 0x11, 0x11))},
		"gray with tRNS":  {flatPNG(16, 0, 1, 1, pngChunk("tRNS", "\x00\x01"))},
		"RGB with tRNS":   {flatPNG(8, 2, 1, 3, pngChunk("tRNS", "\x00\x01\x00\x01\x00\x01"))},
		"WebP with trees": {webpWith(manyTrees())},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			for i, data := range files {
				t.Logf("file %d: %d KB", i, len(data)>>10)
				if err := os.WriteFile(filepath.Join(folder, fmt.Sprint(i, ".in")), data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			count := 2
			if name == "common" {
				count = 10
			}
			expectLittleMemory(t, folder, count)
		})
	}
}

// expectLittleMemory processes count pictures concurrently in a new process, cycling through those in the folder, and
// checks the peak of its memory.
func expectLittleMemory(t *testing.T, folder string, count int) {
	t.Helper()
	const bound = (256 - 30) << 10 // KB; the rest of a server needs 30 MB more than this process
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), memoryFolder+"="+folder, memoryCount+"="+strconv.Itoa(count))
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(output)
	if found == nil {
		t.Fatalf("the process did not print its memory:\n%s", output)
	}
	peak, _ := strconv.Atoi(string(found[1]))
	first, _, _ := bytes.Cut(output, []byte("\n"))
	t.Logf("peak memory: %d MB (%s)", peak>>10, first)
	if peak > bound {
		t.Errorf("peak memory is %d MB, want at most %d", peak>>10, bound>>10)
	}
}
