package previews

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	"burble/app/pictures"
)

const (
	// maxPicture is the maximum size of the picture of a page, in bytes.
	maxPicture = 2 << 20
	// maxStored is the maximum size of the reduced picture, in bytes.
	maxStored = 256 << 10
	// pictureTypes are the media types that a page's picture may have.
	pictureTypes = "image/jpeg, image/png, image/webp, image/gif"
)

// An Image is the reduced picture of a page.
type Image struct {
	Data          []byte
	Type          string
	Width, Height int
	Color         string
}

func (i *Image) describe(file string) *Picture {
	return &Picture{File: file, Type: i.Type, Width: i.Width, Height: i.Height, Color: i.Color}
}

// fetchPicture fetches the picture of a page and reduces it to the size of a thumbnail.
func (p *Previews) fetchPicture(ctx context.Context, address string) (*Image, error) {
	response, err := p.Client.File(ctx, address, pictureTypes, maxPicture)
	if err != nil {
		return nil, err
	}
	picture, data, err := p.process(ctx, response.Body)
	if err != nil {
		return nil, err
	}
	if picture.Thumbnail != nil {
		// Process does not return the width and height of the thumbnail.
		thumbnail, _, err := p.process(ctx, picture.Thumbnail)
		if err != nil {
			return nil, err
		}
		data, picture.Type = picture.Thumbnail, picture.ThumbnailType
		picture.Width, picture.Height = thumbnail.Width, thumbnail.Height
	}
	if len(data) > maxStored {
		return nil, fmt.Errorf("%w: %d bytes after it was reduced", pictures.ErrTooLarge, len(data))
	}
	return &Image{Data: data, Type: picture.Type, Width: picture.Width, Height: picture.Height, Color: picture.Color}, nil
}

// process checks a picture, and removes its metadata.
func (p *Previews) process(ctx context.Context, data []byte) (picture pictures.Picture, stripped []byte, err error) {
	file, err := os.CreateTemp("", "burble-preview-")
	if err != nil {
		return picture, nil, fmt.Errorf("create a temporary file: %w", err)
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if picture, err = p.Decoder.Process(ctx, bytes.NewReader(data), file); err != nil {
		return picture, nil, fmt.Errorf("process a picture: %w", err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return picture, nil, fmt.Errorf("read a temporary file: %w", err)
	}
	if stripped, err = io.ReadAll(file); err != nil {
		return picture, nil, fmt.Errorf("read a temporary file: %w", err)
	}
	return picture, stripped, nil
}
