package web

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"

	"burble/app/protocol"
)

const script = "<script>alert(document.domain)</script>"

func encodeWith(t *testing.T, encode func(*bytes.Buffer) error) string {
	t.Helper()
	var encoded bytes.Buffer
	if err := encode(&encoded); err != nil {
		t.Fatal(err)
	}
	return encoded.String()
}

// photo returns a JPEG whose EXIF contains the text.
func photo(t *testing.T, text string) string {
	plain := encodeWith(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, image.NewGray(image.Rect(0, 0, 64, 48)), nil) })
	exif := "Exif\x00\x00II*\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00" + text
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(exif)+2))
	return plain[:2] + string(segment) + exif + plain[2:]
}

// animation returns a GIF with the given number of frames, each of one pixel.
func animation(t *testing.T, frames int) string {
	one := encodeWith(t, func(b *bytes.Buffer) error {
		return gif.Encode(b, image.NewPaletted(image.Rect(0, 0, 1, 1), color.Palette{color.Black, color.White}), nil)
	})
	frame := strings.IndexByte(one, ',') // the image separator
	return one[:frame] + strings.Repeat(one[frame:len(one)-1], frames) + ";"
}

// withForgedSize returns the PNG with another size in its header.
func withForgedSize(picture string, width, height uint32) string {
	forged := []byte(picture)
	binary.BigEndian.PutUint32(forged[16:], width)
	binary.BigEndian.PutUint32(forged[20:], height)
	binary.BigEndian.PutUint32(forged[29:], crc32.ChecksumIEEE(forged[12:29]))
	return string(forged)
}

// blackPicture returns a PNG of the given size with black pixels, made from another PNG. Under the race detector,
// png.Encode would take seconds for a large one.
func blackPicture(t *testing.T, picture string, width, height int) string {
	const headerEnd = 33
	data := encodeWith(t, func(b *bytes.Buffer) error {
		b.WriteString("IDAT")
		pixels, _ := zlib.NewWriterLevel(b, zlib.BestSpeed)
		pixels.Write(make([]byte, height*(1+width))) // the first byte of each row is its filter
		return pixels.Close()
	})
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(data)-len("IDAT")))
	chunk = binary.BigEndian.AppendUint32(append(chunk, data...), crc32.ChecksumIEEE([]byte(data)))
	end := strings.LastIndex(picture, "IEND") - 4
	return withForgedSize(picture, uint32(width), uint32(height))[:headerEnd] + string(chunk) + picture[end:]
}

const attachment = "application/octet-stream" // the type of files that browsers must not show

// expectInert checks that a file is served with the type servedAs, and as an attachment unless browsers may show that
// type. Neither the content that a browser shows nor the name under which it saves the file may contain forbidden.
func expectInert(t *testing.T, what string, served response, file uploaded, servedAs, forbidden string) {
	t.Helper()
	disposition := served.header.Get("Content-Disposition")
	isInline := strings.HasPrefix(disposition, "inline")
	if served.status != http.StatusOK || served.header.Get("Content-Type") != servedAs || isInline != (servedAs != attachment) ||
		served.header.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(served.header.Get("Content-Security-Policy"), "sandbox;") {
		t.Errorf("%s: got status %d and unsafe headers %v", what, served.status, served.header)
	}
	if isInline && forbidden != "" && strings.Contains(served.body, forbidden) {
		t.Errorf("%s: the server sent the file with %q in it", what, forbidden)
	}
	if !isInline && (forbidden != "" && strings.Contains(file.Name+disposition, forbidden) || served.header.Get("Set-Cookie") != "" || len(file.Name) > 120) {
		t.Errorf("%s: got the unsafe name %q or Content-Disposition %q", what, file.Name, disposition)
	}
}

// Every hostile file is either refused with an error, or served so that browsers do not run anything in it. The test
// measures the memory of the whole process, so it is not parallel.
func TestHostileUploads(t *testing.T) {
	s := startOne(t, withFiles(t))
	ada := s.signIn("Ada")
	small := encodeWith(t, func(b *bytes.Buffer) error { return png.Encode(b, image.NewGray(image.Rect(0, 0, 64, 48))) })
	bomb := blackPicture(t, small, 6000, 4000)
	archive := encodeWith(t, func(b *bytes.Buffer) error {
		writer := zip.NewWriter(b)
		writer.Create("index.html")
		return writer.Close()
	})
	for name, test := range map[string]struct {
		file, content string
		refused       protocol.Code // "" if the server accepts the file
		servedAs      string        // the type of an accepted file
		forbidden     string        // text that must not be served
	}{
		"SVG":                              {"a.svg", `<svg xmlns="http://www.w3.org/2000/svg">` + script + `</svg>`, "", attachment, ""},
		"SVG that is called a PNG":         {"a.png", `<svg xmlns="http://www.w3.org/2000/svg">` + script + `</svg>`, "", attachment, ""},
		"HTML":                             {"a.html", "<!doctype html>" + script, "", attachment, ""},
		"HTML that is called a picture":    {"a.jpg", "<!doctype html>" + script, "", attachment, ""},
		"XHTML":                            {"a.xhtml", `<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">` + script + `</html>`, "", attachment, ""},
		"a script":                         {"a.js", "alert(1)", "", attachment, ""},
		"PDF":                              {"a.pdf", "%PDF-1.7\n" + script, "", attachment, ""},
		"a picture that is called HTML":    {"a.html", small, "", "image/png", ""},
		"a picture with HTML behind it":    {"a.png", small + script, "", "image/png", script},
		"a picture with a ZIP behind it":   {"a.png", small + archive, "", "image/png", "index.html"},
		"a photo with HTML in its EXIF":    {"a.jpg", photo(t, script), "", "image/jpeg", script},
		"a photo with a location":          {"a.jpg", photo(t, "GPSLatitude 52.5200"), "", "image/jpeg", "GPSLatitude"},
		"HTML that begins as a GIF":        {"a.gif", "GIF89a" + script, protocol.BadField, "", ""},
		"a picture of 24 megapixels":       {"a.png", bomb, "", "image/png", ""},
		"a picture of 25 megapixels":       {"a.png", withForgedSize(small, 5000, 5000), protocol.BadField, "", ""},
		"a picture of 4 billion pixels":    {"a.png", withForgedSize(small, 1<<31-1, 1<<31-1), protocol.BadField, "", ""},
		"a picture without pixels":         {"a.png", withForgedSize(small, 0, 0), protocol.BadField, "", ""},
		"a picture smaller than claimed":   {"a.png", withForgedSize(small, 640, 480), protocol.BadField, "", ""},
		"an animation of 100,000 frames":   {"a.gif", animation(t, 100_000), protocol.BadField, "", ""},
		"half a picture":                   {"a.png", small[:len(small)/2], protocol.BadField, "", ""},
		"the beginning of a picture":       {"a.png", small[:9], protocol.BadField, "", ""},
		"nothing":                          {"a.png", "", protocol.BadField, "", ""},
		"a name that is a path":            {"../../etc/passwd", "x", "", attachment, "/"},
		"a name that is a path on Windows": {`..\..\boot.ini`, "x", "", attachment, `\`},
		"a name from right to left":        {"photo\u202egnp.exe", "x", "", attachment, "\u202e"},
		"a name with line breaks":          {"a\r\nSet-Cookie: a=b", "x", "", attachment, "\n"},
		"a name that is a device":          {"CON", "x", "", attachment, ""},
		"a long name":                      {strings.Repeat("é", 1000), "x", "", attachment, ""},
	} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		got := s.request("POST", "/r/hostile/files?name="+url.QueryEscape(test.file), test.content, ada.bearer())
		runtime.ReadMemStats(&after)
		if grown := int64(after.Sys) - int64(before.Sys); grown > 200<<20 {
			t.Errorf("%s: the process grew by %d MB, want at most 200", name, grown>>20)
		}
		if test.refused != "" {
			got.expectRefusal(t, http.StatusBadRequest, test.refused, "file")
			continue
		}
		if got.status != http.StatusCreated {
			t.Errorf("%s: got status %d, want 201: %s", name, got.status, got.body)
			continue
		}
		var file uploaded
		got.decode(t, &file)
		served := s.get("/f/hostile/" + s.sendFiles("hostile", ada, file) + "/0")
		expectInert(t, name, served, file, test.servedAs, test.forbidden)
	}
}
