package blobs

import (
	"context"
	"time"
)

// OnStep sets a function that Put and Delete call after each of their steps.
func (d *Directory) OnStep(do func(name string)) { d.step = do }

// PresignFor is PresignGet with another life.
func (s *S3) PresignFor(ctx context.Context, hash string, as Presentation, life time.Duration) (string, error) {
	return s.presign(ctx, hash, as, life)
}

// OpenStalling is like OpenS3, but the server may stall for this time only.
func OpenStalling(options S3Options, timeout time.Duration) (*S3, error) {
	return openS3(options, timeout)
}
