// Package attachments keeps the files that people attach to messages: it checks them, stores them as objects of
// package blobs, and removes objects that nothing refers to any more.
//
//	files := attachments.New(attachments.Options{Store: store, Rooms: service, Redis: set, ...})
//	go files.Run(ctx) // and wait for it
//	file, err := files.Upload(ctx, attachments.Upload{User: user, Room: "lobby", Name: "photo.png", Size: size, Body: body})
//	object, err := files.Open(ctx, attachments.Describe(file, attachments.Version{})) // after package chat has checked the reader's rights
//
// What holds, even if processes die at any moment:
//
//   - A file in a message has its object. An object is stored before the file can be sent, and removed after the file's
//     last message is gone.
//   - An object to which nothing refers is removed: within a minute of the deletion of its message on a server that
//     works, otherwise within a day or two.
//   - Quotas are reserved before the body of an upload is read, and given back if it fails.
//
// # Keys in Redis
//
// All of them are in one slot, because rooms in all slots share objects. They begin with the prefix of all keys.
//
//   - {0}:blob:<hash> is the set of the IDs of the files that refer to an object. While the object is being removed, its
//     only member is a mark, "-<ms>:<token>". Whoever wants to add a reference waits until that is gone. A mark
//     whose server has died is replaced after markLife.
//   - {0}:files:bytes is how many bytes all objects have, and how many uploads in progress have reserved.
//   - {0}:files:sizes is a hash, the sizes of the objects that are part of these bytes.
//   - {0}:files:day:<user>:<date> is how many bytes a user has uploaded on a day (UTC). Guests count by their address, because
//     a new guest costs nothing.
//   - {0}:files:uploads is a hash, the journal: an entry for each upload in progress. If it is still there after
//     journalLife, the process has died, or could not find out whether the file was added. The job then finishes or undoes
//     the upload.
//
// Package streams keeps the files themselves, in {b}:file:<id> and {b}:files.
//
// A Service is safe for concurrent use, also by several servers.
package attachments
