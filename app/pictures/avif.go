package pictures

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

const (
	// maxMeta is the maximum size of the boxes that describe an AVIF.
	maxMeta     = 1 << 20
	imageSpace  = "ispe" // a property of an item: width and height
	imageRotate = "irot"
)

// An avifStripper overwrites metadata in place. It moves nothing, because the file refers to its parts by offset.
type avifStripper struct {
	*stripped
	out         *writer
	size        int64
	metadata    map[uint32]bool // IDs of items that are not images
	isRotated   bool
	isMovie     bool
	data        []box // the "mdat" boxes
	kept        []box // the data of the image items
	idat        box
	overwritten int64
}

func stripAVIF(src io.ReadSeeker, out *writer) (*stripped, error) {
	a := &avifStripper{stripped: &stripped{mediaType: "image/avif", frames: 1, pixelSize: 1}, out: out, metadata: map[uint32]bool{}}
	if _, err := src.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read a picture: %w", err)
	}
	var err error
	if a.size, err = io.Copy(out, src); err != nil {
		return nil, fmt.Errorf("copy a picture: %w", err)
	}
	if err := out.buffer.Flush(); err != nil {
		return nil, fmt.Errorf("write a picture: %w", err)
	}
	boxes, err := boxesIn(out.file, 0, a.size)
	if err != nil {
		return nil, err
	}
	for i, b := range boxes {
		if err := a.handleTopLevel(i, b); err != nil {
			return nil, err
		}
	}
	if err := a.blankGaps(); err != nil {
		return nil, err
	}
	if a.isRotated {
		a.width, a.height = a.height, a.width
	}
	if a.width == 0 {
		return nil, fmt.Errorf("%w: AVIF without a size", ErrUnsupported)
	}
	return a.stripped, nil
}

// handleTopLevel handles a top-level box.
func (a *avifStripper) handleTopLevel(i int, b box) error {
	if (i == 0) != (b.name == "ftyp") {
		return fmt.Errorf("%w: AVIF box %q in the wrong place", ErrCorrupt, b.name)
	}
	switch b.name {
	case "ftyp":
		brands, err := a.read(b)
		if err != nil {
			return err
		}
		isAVIF := false
		for i := 0; i+4 <= len(brands); i += 4 {
			brand := string(brands[i : i+4])
			isAVIF = isAVIF || i != 4 && (brand == "avif" || brand == "avis")
		}
		if !isAVIF {
			return ErrUnsupported
		}
		if string(brands[:4]) == "avis" {
			a.frames = 2 // or more
		}
		return nil
	case "meta":
		return a.meta(b)
	case "moov":
		a.isMovie = true
		return a.movie(b, true)
	case "mdat":
		a.data = append(a.data, b)
		return nil
	}
	return a.blank(b)
}

// movie overwrites the metadata of an image sequence.
func (a *avifStripper) movie(b box, hasTracks bool) error {
	boxes, err := boxesIn(a.out.file, b.start, b.end)
	for _, child := range boxes {
		if err != nil {
			break
		}
		switch child.name {
		case "trak":
			if hasTracks {
				err = a.movie(child, false)
			}
		case "udta", "meta", "uuid", "free", "skip":
			err = a.blank(child)
		}
	}
	return err
}

// read returns the contents of a small box.
func (a *avifStripper) read(b box) ([]byte, error) {
	size := b.end - b.start
	if size > maxMeta {
		return nil, fmt.Errorf("%w: box %s of %d bytes", ErrTooLarge, b.name, size)
	}
	data := make([]byte, size)
	_, err := a.out.file.ReadAt(data, b.start)
	return data, err
}

// blank turns a box into free space.
func (a *avifStripper) blank(b box) error {
	if err := a.out.patch([]byte("free"), b.at+4); err != nil {
		return err
	}
	return a.zero(b.start, b.end)
}

// zero overwrites a range of the file with zeros.
func (a *avifStripper) zero(start, end int64) error {
	if start < 0 || end < start || end > a.size {
		return fmt.Errorf("%w: data outside the file", ErrCorrupt)
	}
	if a.overwritten += end - start; a.overwritten > 2*a.size {
		return fmt.Errorf("%w: items overlap", ErrCorrupt)
	}
	zeros := make([]byte, min(end-start, 32<<10))
	for ; start < end; start += int64(len(zeros)) {
		if err := a.out.patch(zeros[:min(int64(len(zeros)), end-start)], start); err != nil {
			return err
		}
	}
	return nil
}

// meta reads the picture's size and overwrites the items that are metadata.
func (a *avifStripper) meta(b box) error {
	boxes, err := boxesIn(a.out.file, min(b.start+4, b.end), b.end)
	if err != nil {
		return err
	}
	var locations []byte
	for _, child := range boxes {
		switch child.name {
		case "iinf":
			err = a.items(child)
		case "iloc":
			locations, err = a.read(child)
		case "iprp":
			err = a.properties(child)
		case "idat":
			a.idat = child
		case "hdlr", "pitm", "iref", "dinf", "grpl":
		default:
			err = a.blank(child)
		}
		if err != nil {
			return err
		}
	}
	return a.blankItems(&fields{data: locations})
}

// items records which items are metadata and renames their type to "skip", which readers ignore.
func (a *avifStripper) items(b box) error {
	data, err := a.read(b)
	if err != nil {
		return err
	}
	head := &fields{data: data}
	version := head.uint(4) >> 24
	head.uint(2 + 2*min(version, 1))
	entries, err := boxesIn(a.out.file, b.start+int64(head.at), b.end)
	if err != nil || head.isShort {
		return fmt.Errorf("%w: invalid items", ErrCorrupt)
	}
	for _, entry := range entries {
		data, err := a.read(entry)
		if err != nil {
			return err
		}
		info := &fields{data: data}
		version := info.uint(4) >> 24
		if entry.name != "infe" || version < 2 || version > 3 {
			return fmt.Errorf("%w: AVIF with an unknown version of items", ErrUnsupported)
		}
		id := info.uint(2 * (version - 1))
		info.uint(2)
		at := int64(info.at)
		kind := info.uint(4)
		if info.isShort {
			return fmt.Errorf("%w: invalid item", ErrCorrupt)
		}
		if name := string(binary.BigEndian.AppendUint32(nil, uint32(kind))); slices.Contains([]string{"av01", "grid", "iovl", "iden", "tmap", "sato"}, name) {
			continue
		}
		a.metadata[uint32(id)] = true
		if err := a.out.patch([]byte("skip"), entry.start+at); err != nil {
			return err
		}
		if err := a.zero(entry.start+at+4, entry.end); err != nil { // its name and media type
			return err
		}
	}
	return nil
}

// properties reads the size of the largest item, which is the picture, and whether the picture is rotated.
func (a *avifStripper) properties(b box) error {
	containers, err := boxesIn(a.out.file, b.start, b.end)
	for _, container := range containers {
		if err != nil || container.name != "ipco" {
			continue
		}
		var all []box
		if all, err = boxesIn(a.out.file, container.start, container.end); err != nil {
			return err
		}
		for _, property := range all {
			if property.name != imageSpace && property.name != imageRotate {
				continue
			}
			data, readErr := a.read(property)
			if readErr != nil {
				return readErr
			}
			value := &fields{data: data}
			if property.name == imageRotate {
				a.isRotated = a.isRotated || value.uint(1)&1 == 1
				continue
			}
			value.uint(4)
			width, height := int(min(value.uint(4), 1<<30)), int(min(value.uint(4), 1<<30))
			if width*height > a.width*a.height {
				a.width, a.height = width, height
			}
		}
	}
	return err
}
