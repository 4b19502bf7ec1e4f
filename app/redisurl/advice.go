package redisurl

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"strings"
)

// Advice returns what to change after the first connection to rawURL failed with err. It returns ""
// if err explains itself or the cause is unclear. Advice never quotes the URL.
func Advice(err error, rawURL string) string {
	useTLS := strings.HasPrefix(rawURL, "rediss")
	var notTLS tls.RecordHeaderError
	text := err.Error()
	switch {
	case isCertificateError(err):
		return "the certificate of Redis is not trusted; install the CA that signed it, or append ?skip_verify=true to skip verification"
	case errors.As(err, &notTLS):
		return "this Redis does not use TLS; write redis:// instead of rediss://"
	case strings.Contains(text, "max number of clients"):
		return "Redis has reached its connection limit (maxclients); wait for other servers or programs to disconnect, or choose a plan with a higher limit"
	case strings.Contains(text, "DENIED "):
		return "Redis is in protected mode: set a password (requirepass) and write redis://:password@host"
	case useTLS && errors.Is(err, io.EOF):
		return "Redis closed the connection; it may have reached its connection limit (maxclients), or not use TLS on this port"
	case useTLS && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)):
		return "if this Redis does not use TLS, write redis:// instead of rediss://"
	case !useTLS && errors.Is(err, io.EOF):
		return "if this Redis requires TLS, write rediss:// instead of redis://"
	case strings.Contains(text, "MOVED "), strings.Contains(text, "CROSSSLOT "):
		return "this Redis is a Cluster; append ?cluster=true"
	case strings.Contains(text, "cluster support disabled"):
		return "this Redis is not a Cluster; use one URL, without ?cluster=true"
	case strings.Contains(text, "NOAUTH "), strings.Contains(text, "WRONGPASS "):
		return "write redis://:password@host, or redis://user:password@host if Redis has users"
	case strings.Contains(text, "NOPERM "), strings.Contains(text, "The user executing the script can't"), strings.Contains(text, "ACL failure in script"):
		return "streams/README.md lists the commands and keys that the Redis user needs"
	}
	return ""
}

// isCertificateError reports whether err means that the client rejected the server's certificate.
func isCertificateError(err error) bool {
	var refused *tls.CertificateVerificationError
	var unknownCA x509.UnknownAuthorityError
	var wrongHost x509.HostnameError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &refused) || errors.As(err, &unknownCA) || errors.As(err, &wrongHost) || errors.As(err, &invalid)
}
