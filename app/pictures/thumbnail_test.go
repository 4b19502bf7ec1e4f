package pictures_test

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/draw"
	"strings"
	"testing"

	"burble/app/pictures"

	"github.com/kovidgoyal/imaging/prism/meta/icc"
)

func filled(width, height int, c color.Color) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	draw.Draw(img, img.Bounds(), image.NewUniform(c), image.Point{}, draw.Src)
	return img
}

func TestThumbnail(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name                  string
		data                  []byte
		wantWidth, wantHeight int // 0 for no thumbnail
		wantType, wantColor   string
	}{
		{"landscape", encodePNG(filled(1280, 72, red)), 640, 36, "image/jpeg", "#ff0000"},
		{"portrait", encodePNG(filled(72, 1280, green)), 36, 640, "image/jpeg", "#00ff00"},
		{"small", encodePNG(filled(640, 640, blue)), 0, 0, "", "#0000ff"},
		{"a little too wide", encodePNG(filled(641, 2, blue)), 640, 2, "image/jpeg", "#0000ff"},
		{"a line", encodePNG(filled(10_000, 1, white)), 640, 1, "image/jpeg", "#ffffff"},
		{"a pixel", encodePNG(filled(1, 1, white)), 0, 0, "", "#ffffff"},
		{"half transparent", encodePNG(filled(700, 70, color.NRGBA{255, 0, 0, 128})), 640, 64, "image/png", "#ff0000"},
		{"transparent", encodePNG(filled(700, 70, color.NRGBA{})), 640, 64, "image/png", "#808080"},
		{"quarters", encodePNG(quarters(100, 100)), 0, 0, "", "#7f7f7f"},
		{"small animation", encodeGIF(40, 20, 3), 40, 20, "image/jpeg", "#ff0000"},
		{"still GIF", encodeGIF(40, 20, 1), 0, 0, "", "#ff0000"},
		{"16 bits", encodePNG(opaque16{image.Rect(0, 0, 700, 10)}), 640, 9, "image/png", "#ffffff"},
	}
	for _, test := range tests {
		picture, stored := mustProcess(t, test.data)
		if !bytes.Equal(stored, test.data) {
			t.Errorf("%s: the stored picture differs from the original", test.name)
		}
		if picture.Color != test.wantColor && test.name != "16 bits" {
			t.Errorf("%s: the color is %s, want %s", test.name, picture.Color, test.wantColor)
		}
		if picture.ThumbnailType != test.wantType || (picture.Thumbnail != nil) != (test.wantWidth != 0) {
			t.Errorf("%s: the thumbnail has the type %q and %d bytes, want %q", test.name, picture.ThumbnailType, len(picture.Thumbnail), test.wantType)
			continue
		}
		if test.wantWidth == 0 {
			continue
		}
		if got := decode(t, picture.Thumbnail).Bounds(); got != image.Rect(0, 0, test.wantWidth, test.wantHeight) {
			t.Errorf("%s: the thumbnail is %v, want %d x %d", test.name, got, test.wantWidth, test.wantHeight)
		}
	}
}

// The thumbnail of a rotated picture is rotated, and that of an animation shows its first frame in place.
func TestThumbnailShowsPicture(t *testing.T) {
	t.Parallel()
	rotated, _ := mustProcess(t, jpegWith(encodeJPEG(quarters(1000, 500)), jpegSegment(0xe1, "Exif\x00\x00"+exif(orders[0], 6))))
	img := decode(t, rotated.Thumbnail)
	if img.Bounds() != image.Rect(0, 0, 320, pictures.ThumbnailSide) || nearest(img.At(5, 5)) != blue || nearest(img.At(315, 5)) != red {
		t.Errorf("the thumbnail is %v, and %v at the top left; want 320 x %d, and blue", img.Bounds(), nearest(img.At(5, 5)), pictures.ThumbnailSide)
	}
	animation, _ := mustProcess(t, samples()["animated WebP"])
	img = decode(t, animation.Thumbnail)
	if _, _, _, alpha := img.At(5, 5).RGBA(); img.Bounds() != image.Rect(0, 0, 200, 120) || alpha != 0 {
		t.Errorf("the thumbnail is %v, with opacity %d outside the first frame; want 200 x 120, and 0", img.Bounds(), alpha)
	}
	if _, _, _, alpha := img.At(100, 50).RGBA(); alpha == 0 {
		t.Error("the first frame is missing from the thumbnail")
	}
}

// profileWith returns the sRGB profile with tags renamed, and with other bytes at the start of tags' data.
func profileWith(rename map[string]string, at map[string]string) string {
	profile := bytes.Clone(icc.Srgb_xyz_profile_data)
	for i := range binary.BigEndian.Uint32(profile[128:]) {
		tag := profile[132+12*i:]
		if data, ok := at[string(tag[:4])]; ok {
			copy(profile[binary.BigEndian.Uint32(tag[4:]):], data)
		}
		if name, ok := rename[string(tag[:4])]; ok {
			copy(tag, name)
		}
	}
	return string(profile)
}

func TestProfiles(t *testing.T) {
	t.Parallel()
	sRGB := profileWith(nil, nil)
	for name, test := range map[string]struct{ profile, want string }{
		"sRGB":                {sRGB, "#fe0000"},
		"red and green":       {profileWith(map[string]string{"rXYZ": "gXYZ", "gXYZ": "rXYZ"}, nil), "#00fe00"}, // exchanged
		"nonsense":            {"nonsense", "#fe0000"},
		"header only":         {sRGB[:128], "#fe0000"},
		"truncated":           {sRGB[:300], "#fe0000"},
		"4 billion tags":      {sRGB[:128] + "\xff\xff\xff\xff" + sRGB[132:], "#fe0000"},
		"tag outside":         {sRGB[:136] + "\xff\xff\xff\x00" + sRGB[140:], "#fe0000"},
		"tag of 4 GB":         {sRGB[:140] + "\xff\xff\xff\xff" + sRGB[144:], "#fe0000"},
		"curve of 4G points":  {profileWith(nil, map[string]string{"rTRC": "curv\x00\x00\x00\x00\xff\xff\xff\xff"}), "#fe0000"},
		"unknown curve":       {profileWith(nil, map[string]string{"rTRC": "mft2"}), "#fe0000"},
		"table instead":       {profileWith(map[string]string{"cprt": "A2B0", "rXYZ": "gXYZ", "gXYZ": "rXYZ"}, nil), "#fe0000"},
		"another color space": {strings.Replace(sRGB, "RGB XYZ ", "CMYKXYZ ", 1), "#fe0000"},
	} {
		data := jpegWith(encodeJPEG(filled(700, 7, red)), jpegSegment(0xe2, "ICC_PROFILE\x00\x01\x01"+test.profile))
		picture, stored := mustProcess(t, data)
		if picture.Color != test.want {
			t.Errorf("%s: the color is %s, want %s", name, picture.Color, test.want)
		}
		if !bytes.Contains(stored, []byte(test.profile)) {
			t.Errorf("%s: the profile is not stored", name)
		}
	}
}
