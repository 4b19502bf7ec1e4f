package pictures

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"io"
	"os"
	"runtime/debug"

	"github.com/kovidgoyal/imaging"
)

const (
	quality          = 90 // JPEG quality of a picture that must be encoded again
	thumbnailQuality = 80
	// largeMemory is the number of bytes above which a decoder's memory is returned to the operating system at once.
	largeMemory = 16_000_000
	// largeGCPercent is GOGC while such a picture is decoded. Some decoders allocate for each pixel.
	largeGCPercent = 5
)

// decoded is a decoded picture, or the first frame of an animation.
type decoded struct {
	img image.Image
	at  image.Point // the frame's position in the picture, to which img's bounds are relative
}

// finish decodes the stripped picture in the file and sets the fields of picture that depend on its pixels. It encodes
// the picture again if it must be rotated.
func finish(s *stripped, file *os.File, picture *Picture) (err error) {
	if s.memory > largeMemory {
		defer debug.FreeOSMemory()
		defer debug.SetGCPercent(debug.SetGCPercent(largeGCPercent))
	}
	defer func() {
		if failure := recover(); failure != nil { // a bug in a decoder
			err = fmt.Errorf("%w: %v", ErrCorrupt, failure)
		}
	}()
	frame, err := s.decode(file)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	img := s.place(frame)
	frame.img = nil
	if s.orientation > 1 {
		if s.memory > largeMemory {
			debug.FreeOSMemory() // the decoder's own buffers
		}
		img = orient(img, s.orientation)
		picture.Width, picture.Height = img.Bounds().Dx(), img.Bounds().Dy()
		if picture.Type, err = encode(file, img, s.profile); err != nil {
			return err
		}
	}
	return describe(img, s.profile, picture)
}

// place returns the whole picture, with the frame in its position.
func (s *stripped) place(frame decoded) image.Image {
	bounds := image.Rect(0, 0, s.width, s.height)
	if frame.at == (image.Point{}) && frame.img.Bounds() == bounds {
		return frame.img
	}
	whole := image.NewNRGBA(bounds)
	at := frame.img.Bounds().Add(frame.at)
	draw.Draw(whole, at, frame.img, frame.img.Bounds().Min, draw.Src)
	return whole
}

// orient applies an EXIF orientation.
func orient(img image.Image, orientation int) image.Image {
	switch orientation {
	case 2:
		return imaging.FlipH(img)
	case 3:
		return imaging.Rotate180(img)
	case 4:
		return imaging.FlipV(img)
	case 5:
		return imaging.Transpose(img)
	case 6:
		return imaging.Rotate270(img)
	case 7:
		return imaging.Transverse(img)
	case 8:
		return imaging.Rotate90(img)
	}
	return img
}

// encode replaces the contents of the file with the picture and returns its media type.
func encode(file *os.File, img image.Image, profile []byte) (mediaType string, err error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return "", fmt.Errorf("write a picture: %w", err)
	}
	if err := file.Truncate(0); err != nil {
		return "", fmt.Errorf("write a picture: %w", err)
	}
	format, mediaType, head, insert := imaging.JPEG, "image/jpeg", 2, iccSegments
	if !imaging.IsOpaque(img) {
		format, mediaType, head, insert = imaging.PNG, "image/png", len(pngSignature)+25, iccpChunk
	}
	out := &inserter{to: file, left: head}
	if profile != nil {
		out.insert = insert(profile)
	}
	if err := imaging.Encode(out, img, format, imaging.JPEGQuality(quality)); err != nil {
		return "", fmt.Errorf("encode a picture: %w", err)
	}
	return mediaType, nil
}

// An inserter passes on what is written to it, and inserts bytes at an offset.
type inserter struct {
	to     io.Writer
	left   int // bytes still to write before insert
	insert []byte
}

func (w *inserter) Write(p []byte) (int, error) {
	if len(w.insert) == 0 {
		return w.to.Write(p)
	}
	n, err := w.to.Write(p[:min(len(p), w.left)])
	if w.left -= n; err != nil || w.left > 0 {
		return n, err
	}
	if _, err := w.to.Write(w.insert); err != nil {
		return n, err
	}
	w.insert = nil
	more, err := w.to.Write(p[n:])
	return n + more, err
}

// describe sets the color and the thumbnail.
func describe(img image.Image, profile []byte, picture *Picture) error {
	isSmall := picture.Width <= ThumbnailSide && picture.Height <= ThumbnailSide
	width, height := fit(picture.Width, picture.Height)
	small := toSRGB(imaging.Resize(img, width, height, imaging.Linear), profile)
	picture.Color = averageColor(small)
	if isSmall && !picture.Animated {
		return nil
	}
	var out bytes.Buffer
	var err error
	if imaging.IsOpaque(small) {
		picture.ThumbnailType = "image/jpeg"
		err = jpeg.Encode(&out, small, &jpeg.Options{Quality: thumbnailQuality})
	} else {
		picture.ThumbnailType = "image/png"
		err = imaging.Encode(&out, small, imaging.PNG)
	}
	if err != nil {
		return fmt.Errorf("encode a thumbnail: %w", err)
	}
	picture.Thumbnail = out.Bytes()
	return nil
}

// fit returns the size of the thumbnail.
func fit(width, height int) (int, int) {
	longest := max(width, height)
	if longest <= ThumbnailSide {
		return width, height
	}
	scale := func(side int) int { return max(1, (side*ThumbnailSide+longest/2)/longest) }
	return scale(width), scale(height)
}

// averageColor returns the average color as "#rrggbb", weighted by opacity.
func averageColor(img image.Image) string {
	var red, green, blue, alpha uint64
	bounds := img.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			r, g, b, a := img.At(x, y).RGBA()
			red, green, blue, alpha = red+uint64(r), green+uint64(g), blue+uint64(b), alpha+uint64(a)
		}
	}
	if alpha == 0 {
		return "#808080"
	}
	return fmt.Sprintf("#%02x%02x%02x", red*255/alpha, green*255/alpha, blue*255/alpha)
}
