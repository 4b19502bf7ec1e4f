package blobs

import (
	"context"
	"time"
)

// OnStep sets a function that Put and Delete call after each of their steps.
func (d *Directory) OnStep(do func(name string)) { d.step = do }

// PresignFor is PresignGet with another lifetime.
func (s *S3) PresignFor(ctx context.Context, hash string, as Presentation, lifetime time.Duration) (string, error) {
	return s.presign(ctx, hash, as, lifetime)
}

// OpenWithStallTimeout is OpenS3 with another limit on how long the server may stall.
func OpenWithStallTimeout(options S3Options, timeout time.Duration) (*S3, error) {
	return openS3(options, timeout)
}
