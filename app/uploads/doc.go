// Package uploads serves the routes for files: POST /r/{room}/files, which stores one, and GET /f/{room}/{message}/{n},
// which returns one of a message.
//
//	uploads.Register(router, uploads.Options{Chat: service, Files: files, Callers: callers})
//
// An upload is not read before the caller's rights, the size and the quotas have been checked. Its handler reads it
// from the connection (see package httpguard), because it may be larger than the bodies of all other requests. A
// download is read from the store while it is sent, or redirected there.
package uploads
