package chat

import (
	"context"

	"burble/app/identity"
	"burble/streams"
)

// CheckUpload counts an upload of the user at the address, and returns an error if the user may not post in
// the room now, or if the user or the address exceeds a limit. Callers use it before they read the file.
func (s *Service) CheckUpload(ctx context.Context, user identity.User, address, room string) error {
	if err := allow(s.uploads, user, "uploads"); err != nil {
		return err
	}
	if err := s.writes.allowEntries(address, 1); err != nil {
		return err
	}
	return s.as(user).CheckUpload(ctx, room)
}

// AddFile records a file that the user has uploaded to the room. See streams.Access.AddFile.
func (s *Service) AddFile(ctx context.Context, user identity.User, room string, file streams.File) error {
	return s.as(user).AddFile(ctx, room, file)
}

// File returns a file of a message. See streams.Access.File.
func (s *Service) File(ctx context.Context, user identity.User, room string, message streams.ID, n int) (streams.File, error) {
	return s.as(user).File(ctx, room, message, n)
}

// DueFiles returns files that are due to be checked for references. See streams.Store.DueFiles.
func (s *Service) DueFiles(ctx context.Context, bucket, limit int) ([]streams.StoredFile, error) {
	return s.store.DueFiles(ctx, bucket, limit)
}

// ClaimFile reports whether a file is not referenced. See streams.Store.ClaimFile.
func (s *Service) ClaimFile(ctx context.Context, file streams.StoredFile) (unreferenced bool, err error) {
	return s.store.ClaimFile(ctx, file)
}

// RemoveFileRecord removes what is left of a file after ClaimFile.
func (s *Service) RemoveFileRecord(ctx context.Context, file streams.StoredFile) error {
	return s.store.RemoveFileRecord(ctx, file)
}

// reportFiles reports that a deletion in the room was stored, if its message had files.
func (s *Service) reportFiles(room string, deletion streams.Stored) {
	if deletion.HadFiles && s.onFilesDeleted != nil {
		s.onFilesDeleted(room)
	}
}

// HasFile reports whether there is a file that no job has claimed. See streams.Store.HasFile.
func (s *Service) HasFile(ctx context.Context, room, id string) (bool, error) {
	return s.store.HasFile(ctx, room, id)
}
