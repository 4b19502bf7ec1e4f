// Package attachments stores the files that users attach to messages. It checks each file, stores its bytes as an object
// of package blobs, and removes objects that are no longer referenced.
//
//	files := attachments.New(attachments.Options{Store: store, Rooms: service, Redis: set, MaxFile: 25 << 20, MaxPicture: 10 << 20})
//	go files.Run(ctx) // and wait for it
//	file, err := files.Upload(ctx, attachments.Upload{User: user, Room: "lobby", Name: "photo.png", Size: size, Body: body})
//	object, err := files.Open(ctx, attachments.Describe(file, attachments.Version{})) // after package chat has checked the reader's rights
//
// Guarantees, even if a process dies at any moment:
//
//   - Every file in a message has its object. The object is stored before the file can be sent, and removed only after
//     the last message that needs it is gone.
//   - An unreferenced object is removed: normally within a minute of the deletion of its message, otherwise within a
//     few days.
//   - Quota is reserved before the body of an upload is read, and released if the upload fails.
//
// # Keys in Redis
//
// All keys are in one slot, because rooms in all slots share objects. Each begins with Options.Prefix.
//
//   - {0}:blob:<hash> is the set of IDs of the files that refer to an object. While a server removes the object, the only
//     member is a mark, "-<ms>:<token>". An upload of the same bytes waits until the mark is gone. If that server dies,
//     another one replaces the mark after markLifetime.
//   - {0}:files:bytes is the total size of all objects, plus what uploads in progress have reserved.
//   - {0}:files:sizes is a hash with the size of each object that the total includes.
//   - {0}:files:day:<user>:<date> is how many bytes a user has uploaded on a day (UTC). For a guest, <user> is the address,
//     because creating another guest is free.
//   - {0}:files:uploads is the journal, a hash with an entry for each upload in progress. An entry older than journalLifetime
//     means that the process died, or that it is unknown whether the file was added. The job then completes or undoes
//     the upload.
//
// Package streams stores the record of each file, in {b}:file:<id> and {b}:files.
//
// A Service is safe for concurrent use. Several servers may share one Redis and one store.
package attachments
