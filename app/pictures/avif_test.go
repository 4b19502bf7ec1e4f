package pictures_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"burble/app/pictures"
)

func bmffBox(name string, parts ...string) string {
	data := strings.Join(parts, "")
	return string(binary.BigEndian.AppendUint32(nil, uint32(len(data)+8))) + name + data
}

func u16(n int) string { return string(binary.BigEndian.AppendUint16(nil, uint16(n))) }
func u32(n int) string { return string(binary.BigEndian.AppendUint32(nil, uint32(n))) }

// An avifSample describes an AVIF with a picture, EXIF and XMP. The picture's data is a text instead of AV1.
type avifSample struct {
	brand         string
	width, height int
	rotation      byte
	inMeta        bool // whether the EXIF is in the "idat" box
	extra         string
}

const avifData = "the data of the picture"

func (s avifSample) encode() []byte {
	item := func(id int, kind, rest string) string {
		return bmffBox("infe", "\x02\x00\x00\x00", u16(id), u16(0), kind, rest)
	}
	build := func(dataAt int) string {
		method, exifAt, idat := 0, dataAt+len(avifData), ""
		if s.inMeta {
			method, exifAt, idat = 1, 0, bmffBox("idat", secret)
		}
		location := func(id, method, at, size int) string {
			return u16(id) + u16(method) + u16(0) + u16(1) + u32(at) + u32(size)
		}
		meta := bmffBox("meta", u32(0), bmffBox("hdlr", u32(0), u32(0), "pict", strings.Repeat("\x00", 13)), bmffBox("pitm", u32(0), u16(1)),
			bmffBox("iloc", "\x01\x00\x00\x00", "\x44\x00", u16(3), location(1, 0, dataAt, len(avifData)), location(2, method, exifAt, len(secret)), location(3, 0, dataAt+len(avifData)+len(secret), len(secret))),
			bmffBox("iinf", u32(0), u16(3), item(1, "av01", "Color\x00"), item(2, "Exif", secret+"\x00"), item(3, "mime", "\x00application/rdf+xml\x00")),
			bmffBox("iprp", bmffBox("ipco", bmffBox("ispe", u32(0), u32(s.width), u32(s.height)), bmffBox("ispe", u32(0), u32(8), u32(8)), bmffBox("irot", string([]byte{s.rotation})))),
			idat, bmffBox("xml ", secret))
		return bmffBox("ftyp", s.brand, u32(0), "avifmif1") + meta + s.extra + bmffBox("mdat", avifData, secret, secret)
	}
	at := strings.Index(build(0), avifData)
	return []byte(build(at))
}

func TestAVIF(t *testing.T) {
	t.Parallel()
	movie := bmffBox("moov", bmffBox("mvhd", "header"), bmffBox("udta", secret), bmffBox("trak", bmffBox("tkhd", "track"), bmffBox("meta", secret)))
	for name, sample := range map[string]avifSample{
		"still":    {brand: "avif", width: 640, height: 480},
		"rotated":  {brand: "avif", width: 480, height: 640, rotation: 3},
		"idat":     {brand: "avif", width: 640, height: 480, inMeta: true},
		"sequence": {brand: "avis", width: 640, height: 480, extra: movie},
		"others":   {brand: "avif", width: 640, height: 480, extra: bmffBox("uuid", secret) + bmffBox("free", secret) + bmffBox("junk", secret)},
	} {
		data := sample.encode()
		picture, stored := mustProcess(t, data)
		if picture.Type != "image/avif" || picture.Width != 640 || picture.Height != 480 || picture.Thumbnail != nil || picture.Animated != (sample.brand == "avis") {
			t.Errorf("%s: got %+v, want an AVIF of 640 x 480 pixels without a thumbnail", name, picture)
		}
		for _, part := range []string{secret, "Exif", "mime", "xml"} {
			if bytes.Contains(stored, []byte(part)) {
				t.Errorf("%s: the stored picture contains %q", name, part)
			}
		}
		if len(stored) != len(data) || bytes.Index(stored, []byte(avifData)) != bytes.Index(data, []byte(avifData)) {
			t.Errorf("%s: the data of the picture has changed or moved", name)
		}
		if sample.extra == movie && !(bytes.Contains(stored, []byte("header")) && bytes.Contains(stored, []byte("track"))) {
			t.Errorf("%s: the tracks are gone", name)
		}
		if _, again := mustProcess(t, stored); !bytes.Equal(again, stored) {
			t.Errorf("%s: the stored picture changes when it is processed again", name)
		}
	}
}

func TestInvalidAVIF(t *testing.T) {
	t.Parallel()
	good := avifSample{brand: "avif", width: 640, height: 480}.encode()
	for size := 13; size < len(good); size += 7 {
		if picture, _, err := process(t, good[:size]); err == nil {
			t.Errorf("%d of %d bytes: got %+v, want an error", size, len(good), picture)
		}
	}
	at := bytes.Index(good, []byte(u16(2)+u16(0)+u16(0)+u16(1))) + 8 // the location of the EXIF
	outside := bytes.Clone(good)
	binary.BigEndian.PutUint32(outside[at:], 1<<30)
	// 65,535 items with 65,535 extents of 0 bytes each.
	empty := bmffBox("iloc", u32(0), "\x00\x00", u16(65535), strings.Repeat(u16(1)+u16(0)+u16(65535), 65535))
	deep := ""
	for range 12 {
		deep = bmffBox("trak", strings.Repeat(deep, 2))
	}
	tests := map[string]struct {
		data []byte
		want error
	}{
		"25 megapixels":      {avifSample{brand: "avif", width: 5000, height: 5000}.encode(), pictures.ErrTooLarge},
		"EXIF outside":       {outside, pictures.ErrCorrupt},
		"data after the end": {append(bytes.Clone(good), "<script>"...), pictures.ErrCorrupt},
		"large meta":         {avifSample{brand: "avif", width: 8, height: 8, extra: bmffBox("meta", u32(0), bmffBox("iinf", strings.Repeat("a", 2<<20)))}.encode(), pictures.ErrTooLarge},
		"many parts":         {avifSample{brand: "avif", width: 8, height: 8, extra: bmffBox("meta", u32(0), empty)}.encode(), pictures.ErrCorrupt},
		"deep tracks":        {avifSample{brand: "avif", width: 8, height: 8, extra: bmffBox("moov", deep)}.encode(), nil},
		"other brand":        {bytes.ReplaceAll(good, []byte("avif"), []byte("heic")), pictures.ErrUnsupported},
	}
	for name, test := range tests {
		if picture, _, err := process(t, test.data); !errors.Is(err, test.want) {
			t.Errorf("%s: got %+v and the error %v, want %v", name, picture, err, test.want)
		}
	}
}
