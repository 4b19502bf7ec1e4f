package pictures

import (
	"cmp"
	"fmt"
	"slices"
)

// blankItems overwrites the data of items that are metadata (ISO/IEC 14496-12, section 8.11.3).
func (a *avifStripper) blankItems(in *fields) error {
	version := in.uint(4) >> 24
	sizes := in.uint(2)
	offsetSize, lengthSize, baseSize, indexSize := sizes>>12, sizes>>8&15, sizes>>4&15, sizes&15
	wide := uint64(0)
	if version == 2 {
		wide = 2
	}
	if version == 0 {
		indexSize = 0
	}
	extents := 0
	for range in.uint(2 + wide) {
		id, method := in.uint(2+wide), uint64(0)
		if version > 0 {
			method = in.uint(2) & 15
		}
		in.uint(2)
		base := in.uint(baseSize)
		isMetadata := a.metadata[uint32(id)]
		for range in.uint(2) {
			in.uint(indexSize)
			start, size := base+in.uint(offsetSize), in.uint(lengthSize)
			if extents++; in.isShort || extents > maxBoxes {
				return fmt.Errorf("%w: invalid locations", ErrCorrupt)
			}
			if size == 0 && isMetadata || method > 1 || start > 1<<40 || size > 1<<40 {
				return fmt.Errorf("%w: AVIF with items in unsupported locations", ErrUnsupported)
			}
			if method == 1 {
				start += uint64(a.idat.start)
			}
			if !isMetadata {
				if size == 0 {
					size = uint64(a.size) - min(start, uint64(a.size)) // up to the end of the file
				}
				a.kept = append(a.kept, box{start: int64(start), end: int64(start + size)})
				continue
			}
			if err := a.zero(int64(start), int64(start+size)); err != nil {
				return err
			}
		}
		if in.isShort {
			break
		}
	}
	if in.isShort || version > 2 {
		return fmt.Errorf("%w: invalid locations", ErrCorrupt)
	}
	return nil
}

// blankGaps overwrites data that no item refers to. It leaves image sequences alone, because their tracks refer to data
// too.
func (a *avifStripper) blankGaps() error {
	if a.isMovie {
		return nil
	}
	slices.SortFunc(a.kept, func(x, y box) int { return cmp.Compare(x.start, y.start) })
	for _, data := range a.data {
		at := data.start
		for _, kept := range append(a.kept, box{start: data.end, end: data.end}) {
			if kept.start > at {
				if err := a.zero(at, min(kept.start, data.end)); err != nil {
					return err
				}
			}
			if at = max(at, kept.end); at >= data.end {
				break
			}
		}
	}
	return nil
}
