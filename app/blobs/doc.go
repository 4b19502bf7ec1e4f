// Package blobs stores immutable objects, each named by the SHA-256 of its bytes, in a directory or in S3.
//
//	store, err := blobs.OpenDirectory("data/files")
//	blob, err := store.Put(ctx, body, 25<<20)
//	object, err := store.Open(ctx, blob.Hash)
//
// What holds:
//
//   - An object is there completely or not at all, even if the process or the machine dies at any moment.
//   - Storing the same bytes again is harmless, and makes the object young again for [Store.List].
//   - The size of an object does not determine how much memory Put and Open use.
//
// Put does not know an object's name before it has read all of it. The directory therefore writes to a temporary file
// first, and renames it. S3 has no rename: Put first writes to a temporary file on the server's disk, and then sends
// that in one request. The alternative, a temporary object that S3 copies, costs two more requests, and leaves
// garbage in the bucket when the process dies. The temporary file has no name, so it leaves none.
//
// All methods are safe for concurrent use, also by several servers.
package blobs
