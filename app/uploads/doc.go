// Package uploads serves the routes for files: POST /r/{room}/files stores a file, and GET /f/{room}/{message}/{n} returns
// a file of a message.
//
//	uploads.Register(router, uploads.Options{Chat: service, Files: files, Callers: callers})
//
// The body of an upload is not read until the caller's rights, the size and the quotas have been checked. The handler
// reads it from the connection (see package httpguard), because it may be larger than any other request body. A download
// is either read from the store while it is sent, or redirected to the store.
package uploads
