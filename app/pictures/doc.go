// Package pictures makes uploaded pictures safe to store and quick to show: it checks them, removes their metadata,
// applies their orientation and makes thumbnails.
//
//	processor := pictures.New() // one for the whole server
//	picture, err := processor.Process(ctx, upload, file)
//
// Before it decodes a picture, it checks the header: the number of pixels ([MaxPixels]) and frames ([MaxFrames]), and
// the memory that the decoder would need. A [Processor] decodes one picture at a time, and returns a [Picture], which
// describes the result.
//
// What is stored:
//
//   - PNG, JPEG, GIF and WebP are copied part by part, without decoding, so that they lose no quality. Only the parts that
//     are necessary to show the picture and its color profile are kept. EXIF (including locations), XMP, comments,
//     embedded previews and anything after the end of the picture are removed.
//   - A picture that its EXIF rotates or mirrors is encoded again: as PNG if it is partly transparent, otherwise as JPEG.
//   - Animations are copied in the same way. The thumbnail shows the first frame.
//   - AVIF is copied, and its metadata overwritten with zeros. No decoder in pure Go exists, so there is no thumbnail
//     and no color, and only the header is checked.
//
// A Processor is safe for concurrent use.
package pictures
