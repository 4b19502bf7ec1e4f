package redisurl

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"strings"
)

// Advice returns what to change when a first connection to rawURL failed with err, or ""
// when err explains itself or its cause is unclear. It only looks at the scheme of the
// URL and quotes nothing from it.
func Advice(err error, rawURL string) string {
	useTLS := strings.HasPrefix(rawURL, "rediss")
	var notTLS tls.RecordHeaderError
	text := err.Error()
	switch {
	case isCertificateError(err):
		return "the certificate of Redis is not trusted here; install the CA that signed it, or append ?skip_verify=true to skip verification"
	case errors.As(err, &notTLS):
		return "Redis does not speak TLS there; write redis:// instead of rediss://"
	case useTLS && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)):
		return "if Redis does not speak TLS there, write redis:// instead of rediss://"
	case !useTLS && errors.Is(err, io.EOF):
		return "if Redis only speaks TLS, write rediss:// instead of redis://"
	case strings.Contains(text, "MOVED "), strings.Contains(text, "CROSSSLOT "):
		return "it is a Cluster; append ?cluster=true"
	case strings.Contains(text, "cluster support disabled"):
		return "it is not a Cluster; give one URL, without ?cluster=true"
	case strings.Contains(text, "NOAUTH "), strings.Contains(text, "WRONGPASS "):
		return "write redis://:password@host, or redis://user:password@host if Redis has users"
	case strings.Contains(text, "NOPERM "), strings.Contains(text, "can't run this command"):
		return "streams/README.md lists the permissions that the user needs, and on which keys"
	}
	return ""
}

// isCertificateError reports whether err means that the server's certificate was refused.
func isCertificateError(err error) bool {
	var refused *tls.CertificateVerificationError
	var unknownCA x509.UnknownAuthorityError
	var wrongHost x509.HostnameError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &refused) || errors.As(err, &unknownCA) || errors.As(err, &wrongHost) || errors.As(err, &invalid)
}
