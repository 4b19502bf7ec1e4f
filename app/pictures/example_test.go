package pictures_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"os"

	"burble/app/pictures"
)

func Example() {
	upload := bytes.NewReader(encodePNG(image.NewNRGBA(image.Rect(0, 0, 1280, 720))))
	stored, err := os.CreateTemp("", "picture")
	if err != nil {
		panic(err)
	}
	defer os.Remove(stored.Name())
	defer stored.Close()

	processor := pictures.New() // one for the server
	picture, err := processor.Process(context.Background(), upload, stored)
	fmt.Println(picture.Type, picture.Width, picture.Height, picture.Color, picture.ThumbnailType, err)
	// Output: image/png 1280 720 #808080 image/png <nil>
}
