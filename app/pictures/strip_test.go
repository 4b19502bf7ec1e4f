package pictures_test

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"strings"
	"testing"

	"github.com/kovidgoyal/imaging/prism/meta/icc"
)

// samples returns pictures with the secret everywhere that metadata can be, and with data after their end.
func samples() map[string][]byte {
	lossy, alpha := webpChunks(sampleWebP("blue-purple-pink.lossy.webp")), webpChunks(sampleWebP("yellow_rose.lossy-with-alpha.webp"))
	lossless := webpChunks(sampleWebP("blue-purple-pink.lossless.webp"))
	profile := string(icc.Srgb_xyz_profile_data)
	all := map[string][]byte{
		"PNG": pngWith(encodePNG(quarters(40, 20)), pngChunk("eXIf", exif(binary.BigEndian, 1)), pngChunk("tEXt", "Comment\x00"+secret),
			pngChunk("iTXt", "XML:com.adobe.xmp\x00\x00\x00\x00\x00"+secret), pngChunk("tIME", "\x07\xe8\x01\x01\x00\x00\x00"), pngChunk("prVt", secret), pngChunk("pHYs", "\x00\x00\x0b\x13\x00\x00\x0b\x13\x01")),
		"JPEG": jpegWith(encodeJPEG(quarters(40, 24)), jpegSegment(0xe0, "JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x01\x01"+secret), jpegSegment(0xe1, "Exif\x00\x00"+exif(binary.LittleEndian, 1)),
			jpegSegment(0xe1, "http://ns.adobe.com/xap/1.0/\x00"+secret), jpegSegment(0xe2, "ICC_PROFILE\x00\x01\x01"+profile), jpegSegment(0xe2, "MPF\x00"+secret),
			jpegSegment(0xed, "Photoshop 3.0\x00"+secret), jpegSegment(0xef, secret), jpegSegment(0xfe, secret)),
		"GIF":             bytes.Replace(encodeGIF(40, 20, 3), []byte("!\xf9"), []byte("!\xfe"+string(rune(len(secret)))+secret+"\x00!\xff\x0bXMP DataXMP"+string(rune(len(secret)))+secret+"\x00!\x01\x0cplain text  "+string(rune(len(secret)))+secret+"\x00!\xf9"), 1),
		"lossy WebP":      webpWith(vp8x(0x2c, 150, 100), riffChunk("ICCP", profile), riffChunk("VP8 ", lossy["VP8 "]), riffChunk("EXIF", exif(binary.BigEndian, 1)), riffChunk("XMP ", secret), riffChunk("oth ", secret)),
		"lossless WebP":   webpWith(riffChunk("VP8L", lossless["VP8L"]), riffChunk("EXIF", exif(binary.BigEndian, 1))),
		"WebP with alpha": webpWith(riffChunk("VP8X", alpha["VP8X"]), riffChunk("ALPH", alpha["ALPH"]), riffChunk("VP8 ", alpha["VP8 "]), riffChunk("EXIF", exif(binary.BigEndian, 1))),
		"animated WebP": webpWith(vp8x(0x0e, 200, 120), riffChunk("ANIM", "\x00\x00\x00\x00\x00\x00"), animationFrame(40, 10, 150, 100, riffChunk("VP8 ", lossy["VP8 "]), riffChunk("oth ", secret)),
			animationFrame(0, 0, 150, 100, riffChunk("VP8L", lossless["VP8L"])), riffChunk("EXIF", exif(binary.BigEndian, 1)), riffChunk("XMP ", secret)),
	}
	for name := range all {
		all[name] = append(all[name], "<script>"+secret+"</script>PK\x05\x06"+strings.Repeat("\x00", 18)...)
	}
	return all
}

func TestMetadataIsRemoved(t *testing.T) {
	t.Parallel()
	for name, data := range samples() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if bytes.Count(data, []byte(secret)) < 2 {
				t.Fatal("the sample has no metadata")
			}
			picture, stored := mustProcess(t, data)
			for _, part := range []string{secret, "Exif", "EXIF", "eXIf", "XMP", "script", "PK"} {
				if bytes.Contains(stored, []byte(part)) {
					t.Errorf("the stored picture contains %q", part)
				}
			}
			if picture.Color == "" {
				t.Error("the picture has no color")
			}
			if strings.HasPrefix(name, "animated") {
				if !picture.Animated || picture.Width != 200 || picture.Height != 120 {
					t.Errorf("got %+v, want an animation of 200 x 120 pixels", picture)
				}
				return // x/image cannot decode it
			}
			expectSamePixels(t, stored, data)
			again, storedAgain := mustProcess(t, stored)
			if !bytes.Equal(stored, storedAgain) || again.Color != picture.Color || again.Width != picture.Width {
				t.Error("the stored picture changes when it is processed again")
			}
			if hasProfile := bytes.Contains(data, icc.Srgb_xyz_profile_data); hasProfile && !bytes.Contains(stored, icc.Srgb_xyz_profile_data) {
				t.Error("the color profile is gone")
			}
		})
	}
}

func TestAnimatedWebPKeepsItsFrames(t *testing.T) {
	t.Parallel()
	_, stored := mustProcess(t, samples()["animated WebP"])
	if n := bytes.Count(stored, []byte("ANMF")); n != 2 {
		t.Errorf("the stored animation has %d frames, want 2", n)
	}
	if size := int(binary.LittleEndian.Uint32(stored[4:])); size != len(stored)-8 {
		t.Errorf("the header has the size %d, want %d", size, len(stored)-8)
	}
	lossy := sampleWebP("blue-purple-pink.lossy.webp")
	chunks := webpChunks(stored) // the last of each name
	frame := []byte(chunks["ANMF"])[16:]
	if string(frame[:4]) != "VP8L" {
		t.Errorf("the second frame has the chunk %q, want VP8L", frame[:4])
	}
	if !bytes.Contains(stored, []byte(webpChunks(lossy)["VP8 "])) {
		t.Error("the first frame is gone")
	}
}

func TestOrientation(t *testing.T) {
	t.Parallel()
	want := map[uint16][4]color.NRGBA{ // the colors at the top left, top right, bottom left and bottom right
		1: {red, green, blue, white}, 2: {green, red, white, blue}, 3: {white, blue, green, red}, 4: {blue, white, red, green},
		5: {red, blue, green, white}, 6: {blue, red, white, green}, 7: {white, green, blue, red}, 8: {green, white, red, blue},
		9: {red, green, blue, white}, 0: {red, green, blue, white},
	}
	for _, order := range orders {
		for orientation, colors := range want {
			data := jpegWith(encodeJPEG(quarters(64, 32)), jpegSegment(0xe1, "Exif\x00\x00"+exif(order, orientation)))
			picture, stored := mustProcess(t, data)
			img := decode(t, stored)
			width, height := 64, 32
			if orientation >= 5 && orientation <= 8 {
				width, height = 32, 64
			}
			if img.Bounds() != image.Rect(0, 0, width, height) || picture.Width != width || picture.Height != height {
				t.Errorf("orientation %d: stored a picture of %v, reported %d x %d, want %d x %d", orientation, img.Bounds(), picture.Width, picture.Height, width, height)
			}
			got := [4]color.NRGBA{nearest(img.At(2, 2)), nearest(img.At(width-3, 2)), nearest(img.At(2, height-3)), nearest(img.At(width-3, height-3))}
			if got != colors {
				t.Errorf("orientation %d: the corners are %v, want %v", orientation, got, colors)
			}
			if bytes.Contains(stored, []byte(secret)) {
				t.Errorf("orientation %d: the stored picture contains the location", orientation)
			}
		}
	}
}

func TestRotatedPicturesKeepTheirProfileAndTransparency(t *testing.T) {
	t.Parallel()
	profile := string(icc.Srgb_xyz_profile_data)
	jpeg := jpegWith(encodeJPEG(quarters(40, 20)), jpegSegment(0xe1, "Exif\x00\x00"+exif(binary.BigEndian, 6)), jpegSegment(0xe2, "ICC_PROFILE\x00\x01\x01"+profile))
	picture, stored := mustProcess(t, jpeg)
	if picture.Type != "image/jpeg" || !bytes.Contains(stored, icc.Srgb_xyz_profile_data) {
		t.Errorf("a rotated JPEG became %s, or lost its color profile; want image/jpeg with the profile", picture.Type)
	}
	if again, _ := mustProcess(t, stored); again.Width != 20 || again.Height != 40 {
		t.Errorf("a rotated JPEG has %d x %d pixels, want 20 x 40", again.Width, again.Height)
	}
	clear := quarters(40, 20)
	clear.SetNRGBA(0, 0, color.NRGBA{})
	picture, stored = mustProcess(t, pngWith(encodePNG(clear), pngChunk("eXIf", exif(binary.BigEndian, 6))))
	if picture.Type != "image/png" || picture.Width != 20 {
		t.Errorf("a rotated PNG became %+v, want a PNG that is 20 pixels wide", picture)
	}
	if _, _, _, alpha := decode(t, stored).At(19, 0).RGBA(); alpha != 0 {
		t.Error("a rotated PNG is no longer transparent")
	}
	if picture, _ = mustProcess(t, pngWith(encodePNG(quarters(40, 20)), pngChunk("eXIf", exif(binary.BigEndian, 6)))); picture.Type != "image/jpeg" {
		t.Errorf("a rotated opaque PNG became %s, want image/jpeg", picture.Type)
	}
}
