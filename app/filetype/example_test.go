package filetype_test

import (
	"fmt"

	"burble/app/filetype"
)

func Example() {
	head := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR")
	mediaType := filetype.Sniff(head)
	name := filetype.CleanName(`C:\Users\Ada\Größe.html`, mediaType)
	fmt.Println(filetype.Served(mediaType))
	fmt.Println(filetype.Disposition(mediaType, name))
	// Output:
	// image/png
	// inline; filename="Gr__e.html.png"; filename*=UTF-8''Gr%C3%B6%C3%9Fe.html.png
}
