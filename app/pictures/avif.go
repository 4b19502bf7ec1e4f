package pictures

import (
	"fmt"
	"io"
)

func stripAVIF(src io.ReadSeeker, out *writer) (*stripped, error) {
	return nil, fmt.Errorf("%w: AVIF", ErrUnsupported)
}
