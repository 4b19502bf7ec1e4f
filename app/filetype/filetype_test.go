package filetype_test

import (
	"bytes"
	"mime"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"burble/app/filetype"
)

// box returns an MP4 or AVIF file that consists of its first box.
func box(brand string) string {
	return "\x00\x00\x00\x18ftyp" + brand + "\x00\x00\x00\x00" + brand + "mif1"
}

// ogg returns the first page of an Ogg file with the packet.
func ogg(packet string) string {
	return "OggS\x00\x02" + strings.Repeat("\x00", 20) + "\x01" + string(rune(len(packet))) + packet
}

func TestSniff(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, head, want string
		isInline         bool
	}{
		{"PNG", "\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR", "image/png", true},
		{"animated PNG", "\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR" + strings.Repeat("\x00", 17) + "\x00\x00\x00\x08acTL", "image/png", true},
		{"JPEG", "\xff\xd8\xff\xe0\x00\x10JFIF\x00", "image/jpeg", true},
		{"GIF", "GIF89a\x01\x00\x01\x00", "image/gif", true},
		{"WebP", "RIFF\x24\x00\x00\x00WEBPVP8 ", "image/webp", true},
		{"AVIF", box("avif"), "image/avif", true},
		{"animated AVIF", box("avis"), "image/avif", true},
		{"MP4", box("isom"), "video/mp4", true},
		{"M4A", box("M4A "), "audio/mp4", true},
		{"WebM", "\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm", "video/webm", true},
		{"MP3", "\xff\xfb\x90\x44\x00\x00\x00\x00", "audio/mpeg", true},
		{"MP3 with a tag", "ID3\x03\x00\x00\x00\x00\x00\x0a" + strings.Repeat("\x00", 30), "audio/mpeg", true},
		{"Ogg Opus", ogg("OpusHead\x01\x02\x00\x00\x80\xbb\x00\x00\x00\x00\x00"), "audio/ogg", true},
		{"Ogg Theora", ogg("\x80theora\x03\x02\x01"), "video/ogg", true},

		{"nothing", "", "text/plain", false},
		{"text", "hello", "text/plain", false},
		{"HTML", "<!DOCTYPE html><script>alert(1)</script>", "text/html", false},
		{"SVG", `<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>`, "image/svg+xml", false},
		{"SVG after a declaration", `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>`, "image/svg+xml", false},
		{"HTML before a PNG", "<html>\x89PNG\r\n\x1a\n\x00", filetype.Unknown, false},
		{"PDF", "%PDF-1.7\n", "application/pdf", false},
		{"HEIC", box("heic"), "image/heic", false},
		{"noise with a frame of MP3", "\x00\x01\x02\xff\xfb\x90\x44" + strings.Repeat("\x00", 410) + "\xff\xfb\x90\x44", filetype.Unknown, false},
		{"Windows program", "MZ\x90\x00", "application/vnd.microsoft.portable-executable", false},
		{"noise", "\x00\x01\x02\x03", filetype.Unknown, false},
	}
	for _, test := range tests {
		got := filetype.Sniff([]byte(test.head))
		if got != test.want || filetype.IsInline(got) != test.isInline {
			t.Errorf("%s: Sniff returns %s, inline %v; want %s, %v", test.name, got, filetype.IsInline(got), test.want, test.isInline)
		}
		if served := filetype.Served(got); test.isInline && served != got || !test.isInline && served != filetype.Unknown {
			t.Errorf("%s: Served returns %s, inline %v; want the type itself only if inline", test.name, served, test.isInline)
		}
		if isPicture := filetype.IsPicture(got); isPicture != (test.isInline && strings.HasPrefix(got, "image/")) {
			t.Errorf("%s: IsPicture is %v, want %v", test.name, isPicture, !isPicture)
		}
	}
}

func TestCleanName(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, mediaType, want string }{
		{"report.pdf", "application/pdf", "report.pdf"},
		{"Größe 50 %.txt", "text/plain", "Größe 50 %.txt"},
		{"報告書.docx", filetype.Unknown, "報告書.docx"},
		{"👩‍👩‍👧.png", "image/png", "👩‍👩‍👧.png"},
		{"Cafe\u0301.txt", "text/plain", "Café.txt"},
		{"photo.JPG", "image/jpeg", "photo.JPG"},
		{"archive.tar.gz", filetype.Unknown, "archive.tar.gz"},

		{"../../etc/passwd", "text/plain", "passwd"},
		{`..\..\Windows\system.ini`, "text/plain", "system.ini"},
		{"/", "text/plain", "file"},
		{"..", "text/plain", "file"},
		{"", "image/png", "file.png"},
		{" . . ", "text/plain", "file"},
		{".htaccess", "text/plain", "htaccess"},
		{"a.txt. . ", "text/plain", "a.txt"},

		{"invoice\u202efdp.exe", filetype.Unknown, "invoicefdp.exe"},
		{"a\u2066b\u2069\u200e\u200f\u061c.txt", "text/plain", "ab.txt"},
		{"a\r\nContent-Type: text/html.txt", "text/plain", "html.txt"},
		{"a\r\nb\x00c\x7f\u0085.txt", "text/plain", "abc.txt"},
		{"a\u2028b\u00a0c.txt", "text/plain", "a b c.txt"},
		{"\ufeffa\ue000.txt", "text/plain", "a.txt"},
		{"a\u3164\u034fb.txt", "text/plain", "ab.txt"},
		{"a\xff\xfeb.txt", "text/plain", "a__b.txt"},
		{`a<b>c:d"e|f?g*h.txt`, "text/plain", "a_b_c_d_e_f_g_h.txt"},

		{"CON", "text/plain", "_CON"},
		{"nul.txt", "text/plain", "_nul.txt"},
		{"com1.tar.gz", filetype.Unknown, "_com1.tar.gz"},
		{"LPT¹.txt", "text/plain", "_LPT¹.txt"},
		{"console.txt", "text/plain", "console.txt"},
		{"com10.txt", "text/plain", "com10.txt"},

		{"picture.html", "image/png", "picture.html.png"},
		{"picture", "image/webp", "picture.webp"},
		{"picture.svg", "image/gif", "picture.svg.gif"},
		{"page.html", "text/html", "page.html"},

		{strings.Repeat("a", 300) + ".txt", "text/plain", strings.Repeat("a", filetype.MaxName-4) + ".txt"},
		{strings.Repeat("é", 300) + ".txt", "text/plain", strings.Repeat("é", (filetype.MaxName-4)/2) + ".txt"},
		{"a." + strings.Repeat("b", 300), "text/plain", "a." + strings.Repeat("b", filetype.MaxName-2)},
	}
	for _, test := range tests {
		if got := filetype.CleanName(test.name, test.mediaType); got != test.want {
			t.Errorf("CleanName(%q, %s) = %q, want %q", test.name, test.mediaType, got, test.want)
		}
	}
}

func TestDisposition(t *testing.T) {
	t.Parallel()
	tests := []struct{ mediaType, name, want string }{
		{"image/png", "a b.png", `inline; filename="a b.png"`},
		{"text/html", "a.html", `attachment; filename="a.html"`},
		{"image/svg+xml", "a.svg", `attachment; filename="a.svg"`},
		{"text/plain", "50%41.txt", `attachment; filename="50_41.txt"; filename*=UTF-8''50%2541.txt`},
		{"text/plain", "it's.txt", `attachment; filename="it's.txt"`},
		{"text/plain", "€'(1).txt", `attachment; filename="_'(1).txt"; filename*=UTF-8''%E2%82%AC%27%281%29.txt`},
	}
	for _, test := range tests {
		if got := filetype.Disposition(test.mediaType, test.name); got != test.want {
			t.Errorf("Disposition(%s, %s) = %s, want %s", test.mediaType, test.name, got, test.want)
		}
	}
}

func FuzzName(f *testing.F) {
	for _, seed := range []string{"a.txt", "../a", "a\u202eb", "\xff", "CON", strings.Repeat("e\u0301", 100)} {
		f.Add(seed, "image/png")
		f.Add(seed, "text/plain")
	}
	f.Fuzz(func(t *testing.T, sent, mediaType string) {
		name := filetype.CleanName(sent, mediaType)
		if name == "" || len(name) > filetype.MaxName || !utf8.ValidString(name) {
			t.Fatalf("CleanName(%q) = %q, want 1 to %d bytes of valid UTF-8", sent, name, filetype.MaxName)
		}
		if again := filetype.CleanName(name, mediaType); again != name {
			t.Fatalf("CleanName(%q) = %q, but cleaning that again returns %q, want no change", sent, name, again)
		}
		if strings.ContainsAny(name, `/\:"`) || strings.ContainsFunc(name, unicode.IsControl) || strings.ContainsFunc(name, isBidirectional) {
			t.Fatalf("CleanName(%q) = %q, want no separators, quotes, control or bidirectional characters", sent, name)
		}
		_, parameters, err := mime.ParseMediaType(filetype.Disposition(mediaType, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := parameters["filename"]; got != name {
			t.Fatalf("a client reads the name %q as %q", name, got)
		}
	})
}

func isBidirectional(r rune) bool { return unicode.Is(unicode.Bidi_Control, r) }

func FuzzSniff(f *testing.F) {
	f.Add([]byte("GIF89a"))
	f.Fuzz(func(t *testing.T, head []byte) {
		found := filetype.Sniff(head)
		if !strings.Contains(found, "/") || strings.ContainsAny(found, ";\r\n") {
			t.Fatalf("Sniff(%q) = %q, want a media type without parameters", head, found)
		}
		if filetype.IsInline(found) && bytes.HasPrefix(head, []byte("<")) {
			t.Fatalf("%q is shown inline as %s, want an attachment", head, found)
		}
	})
}
