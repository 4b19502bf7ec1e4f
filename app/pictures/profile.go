package pictures

import (
	"bytes"
	"encoding/binary"
	"image"
	"slices"

	"github.com/kovidgoyal/imaging"
	"github.com/kovidgoyal/imaging/prism/meta/icc"
)

// toSRGB converts the image's colors from the profile to sRGB. It returns the image unchanged if that is not possible.
func toSRGB(img image.Image, profile []byte) image.Image {
	if !isPlainProfile(profile) {
		return img
	}
	parsed, err := icc.DecodeProfile(bytes.NewReader(profile))
	if err != nil {
		return img
	}
	converted, err := imaging.ConvertToSRGB(parsed, imaging.Relative, true, img)
	if err != nil {
		return img
	}
	return converted
}

// isPlainProfile reports whether the color profile consists of a matrix and three curves, like those of displays and
// cameras, and whether its sizes are valid. Package icc v1.9.0 trusts the sizes in a profile and allocates up to 48 GB
// before it reads the data.
func isPlainProfile(profile []byte) bool {
	const header, entry, maxTags = 132, 12, 64
	if len(profile) < header || string(profile[16:24]) != "RGB XYZ " {
		return false
	}
	count := int(min(binary.BigEndian.Uint32(profile[128:]), maxTags+1))
	start := header + count*entry
	if count > maxTags || start > len(profile) {
		return false
	}
	for tag := range slices.Chunk(profile[header:start], entry) {
		name := string(tag[:4])
		offset, size := int64(binary.BigEndian.Uint32(tag[4:])), int64(binary.BigEndian.Uint32(tag[8:]))
		if offset < int64(start) || size < 8 || offset+size > int64(len(profile)) {
			return false
		}
		switch name[:3] {
		case "A2B", "B2A", "D2B", "B2D": // tables
			return false
		}
		if name[1:] == "TRC" && !isPlainCurve(profile[offset:offset+size]) {
			return false
		}
	}
	return true
}

// isPlainCurve reports whether a curve has a known type and contains all the points that its header announces.
func isPlainCurve(data []byte) bool {
	switch string(data[:4]) {
	case "para":
		return true
	case "curv":
		return len(data) >= 12 && uint64(len(data)) >= 12+2*uint64(binary.BigEndian.Uint32(data[8:]))
	}
	return false
}
