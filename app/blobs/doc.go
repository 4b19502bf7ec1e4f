// Package blobs stores immutable objects, each named by the SHA-256 of its bytes, in a directory or in S3.
//
//	store, err := blobs.OpenDirectory("data/files")
//	blob, err := store.Put(ctx, body, 25<<20)
//	object, err := store.Open(ctx, blob.Hash)
//
// Guarantees:
//
//   - An object is either stored completely or not at all, even if the process or the machine dies at any moment.
//   - Storing the same bytes again changes only the time that [Store.List] returns for the object.
//   - The memory that Put and Open use does not depend on the size of the object.
//
// Put does not know an object's name before it has read all of it. The directory therefore writes to a temporary file
// first, and renames it. S3 cannot rename: Put first writes to a temporary file on the server's disk, and then sends
// that in one request. The alternative, a temporary object that S3 copies, would need two more requests, and would stay
// in the bucket if the process dies. The temporary file has no name, so it always disappears.
//
// All methods are safe for concurrent use, including by several servers.
package blobs
