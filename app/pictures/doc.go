// Package pictures makes pictures that strangers upload safe to keep and quick to show: it checks them, removes what is
// not picture, applies their orientation, and makes thumbnails.
//
// A picture is never decoded before its header was checked: [MaxPixels], [MaxFrames], and how much memory the decoder
// would need. A [Processor] decodes one picture at a time.
//
// What is stored:
//
//   - PNG, JPEG, GIF and WebP are copied part by part, without decoding, so that they lose no quality. Only the parts that
//     are necessary to show the picture remain. EXIF (with locations), XMP, comments, embedded previews, and anything
//     after the end of the picture are gone. Color profiles remain.
//   - If EXIF says that the picture must be rotated or mirrored, it is encoded again: as JPEG, or as PNG if parts of it
//     are transparent.
//   - Animations are copied in the same way, and the thumbnail shows their first frame.
//   - AVIF is copied, and its metadata overwritten with zeros. No decoder in pure Go exists, so there is no thumbnail
//     and no color, and the picture is not checked beyond its header.
//
// A Processor is safe for concurrent use.
package pictures
