package httpguard

import (
	"bytes"
	"net/http"
	"net/netip"
	"strconv"

	"github.com/valyala/fasthttp"
)

// Refusal is why a request must be refused. The connection must then be closed, because the client and
// the server may disagree about where the request ends.
type Refusal struct {
	Status  int
	Message string // a sentence for the author of the client
}

var (
	badVersion    = &Refusal{http.StatusHTTPVersionNotSupported, "This server speaks HTTP/1.1 and HTTP/1.0."}
	badFolding    = &Refusal{http.StatusBadRequest, "A header field must not continue on the next line."}
	badTarget     = &Refusal{http.StatusBadRequest, "The request target must be a path, or a URL with http or https."}
	noHost        = &Refusal{http.StatusBadRequest, "The Host header is missing."}
	twoHosts      = &Refusal{http.StatusBadRequest, "There is more than one Host header."}
	badHost       = &Refusal{http.StatusBadRequest, "The Host header must be a name or an IP address, and optionally a port."}
	twoLengths    = &Refusal{http.StatusBadRequest, "Content-Length and Transfer-Encoding must not be used together."}
	chunkedHTTP10 = &Refusal{http.StatusBadRequest, "HTTP/1.0 has no Transfer-Encoding."}
	badEncoding   = &Refusal{http.StatusBadRequest, "The only supported Transfer-Encoding is chunked, once."}
)

// HeaderReceived is a callback for fasthttp.Server. It rewrites header fields that fasthttp would
// misunderstand, and keeps fasthttp from reading the body of a request that Check refuses.
func HeaderReceived(header *fasthttp.RequestHeader) fasthttp.RequestConfig {
	if Check(header) != nil {
		header.Del("Expect")
		header.SetContentLength(0)
		header.SetConnectionClose()
		return fasthttp.RequestConfig{}
	}
	if !isVersion(header, '0') {
		header.SetProtocol("HTTP/1.1") // a server responds to a higher minor version with its own (RFC 9110, section 2.5)
	} else {
		header.Del("Expect") // RFC 9110, section 10.1.1
	}
	if authority, path, isURL := splitURL(header.RequestURI()); isURL {
		// RFC 9112, section 3.2.2: the URL takes precedence over Host.
		header.SetHostBytes(authority)
		header.SetRequestURIBytes(path)
	}
	if target := header.RequestURI(); bytes.IndexByte(target, '%') >= 0 {
		header.SetRequestURIBytes(decodeUnreserved(target))
	}
	return fasthttp.RequestConfig{}
}

// Check returns why the request must be refused, or nil. It examines the header as the client sent it,
// because fasthttp keeps only the last of several Host fields and one of several lengths.
func Check(header *fasthttp.RequestHeader) *Refusal {
	if version := header.Protocol(); len(version) != len("HTTP/1.1") || version[5] != '1' {
		return badVersion
	}
	fields, refusal := readFields(header.RawHeaders())
	switch {
	case refusal != nil:
		return refusal
	case fields.hostCount > 1:
		return twoHosts
	case fields.hostCount == 0 && !isVersion(header, '0'):
		return noHost
	case fields.hostCount == 1 && !isHost(fields.host):
		return badHost
	}
	if refusal := fields.checkLength(header); refusal != nil {
		return refusal
	}
	return checkTarget(header)
}

// isVersion reports whether the request's version is HTTP/1.x.
func isVersion(header *fasthttp.RequestHeader, x byte) bool {
	version := header.Protocol()
	return version[len(version)-1] == x
}

// fields are the header fields that determine which host a request is addressed to, and where it ends.
type fields struct {
	host        []byte
	hostCount   int
	lengthCount int
	length      []byte
	encodings   [][]byte
	expect      []byte
}

func readFields(raw []byte) (found fields, refusal *Refusal) {
	for len(raw) > 0 {
		line, rest, _ := bytes.Cut(raw, []byte("\n"))
		raw = rest
		if line = bytes.TrimSuffix(line, []byte("\r")); len(line) == 0 {
			break
		}
		if line[0] == ' ' || line[0] == '\t' {
			return found, badFolding // RFC 9112, section 5.2
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.Trim(value, " \t")
		switch {
		case isName(name, "Host"):
			found.hostCount++
			found.host = value
		case isName(name, "Content-Length"):
			found.lengthCount++
			found.length = value
		case isName(name, "Transfer-Encoding"):
			found.encodings = append(found.encodings, value)
		case isName(name, "Expect"):
			found.expect = value
		}
	}
	return found, nil
}

func isName(name []byte, want string) bool {
	return len(name) == len(want) && bytes.EqualFold(name, []byte(want))
}

// checkLength follows RFC 9112, section 6.3. fasthttp has already refused encodings other than chunked
// and identity. The latter no longer exists.
func (f fields) checkLength(header *fasthttp.RequestHeader) *Refusal {
	switch {
	case len(f.encodings) == 0:
		return nil
	case isVersion(header, '0'):
		return chunkedHTTP10
	case f.lengthCount > 0:
		return twoLengths
	case len(f.encodings) > 1 || !bytes.EqualFold(f.encodings[0], []byte("chunked")):
		return badEncoding
	}
	return nil
}

// checkTarget follows RFC 9112, section 3.2, except that it accepts bytes that are not ASCII, which some
// programs do not escape.
func checkTarget(header *fasthttp.RequestHeader) *Refusal {
	target := header.RequestURI()
	for _, char := range target {
		if char <= ' ' || char == 0x7f {
			return badTarget
		}
	}
	authority, _, isURL := splitURL(target)
	switch {
	case isURL && isHost(authority), len(target) > 0 && target[0] == '/':
		return nil
	case header.IsOptions() && string(target) == "*", header.IsConnect() && isHost(target):
		return nil
	}
	return badTarget
}

// splitURL splits a request target that is a URL, as clients send it to a proxy.
func splitURL(target []byte) (authority, path []byte, isURL bool) {
	scheme, rest, ok := bytes.Cut(target, []byte("://"))
	if !ok || !bytes.EqualFold(scheme, []byte("http")) && !bytes.EqualFold(scheme, []byte("https")) {
		return nil, nil, false
	}
	end := bytes.IndexAny(rest, "/?#")
	switch {
	case end < 0:
		return rest, []byte("/"), true
	case rest[end] != '/':
		return rest[:end], append([]byte("/"), rest[end:]...), true
	}
	return rest[:end], rest[end:], true
}

// isHost reports whether text is the value of a Host header: a name or an IP address, and optionally a
// port. Names with non-ASCII letters arrive in punycode.
func isHost(text []byte) bool {
	host, port := splitPort(string(text))
	if port != "" {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return false
		}
	}
	if len(host) > 1 && host[0] == '[' {
		ip, err := netip.ParseAddr(host[1 : len(host)-1])
		return host[len(host)-1] == ']' && err == nil && ip.Is6()
	}
	for _, char := range []byte(host) {
		isLetter := char|0x20 >= 'a' && char|0x20 <= 'z'
		if !isLetter && (char < '0' || char > '9') && char != '-' && char != '.' && char != '_' {
			return false
		}
	}
	return host != "" && len(host) <= 255
}

// splitPort splits the value of a Host header. The port is empty if there is none.
func splitPort(host string) (name, port string) {
	for i := len(host) - 1; i >= 0; i-- {
		switch host[i] {
		case ':':
			return host[:i], host[i+1:]
		case ']':
			return host, ""
		}
	}
	return host, ""
}

// decodeUnreserved decodes the escapes of characters that need none, so that each path has one spelling
// (RFC 3986, section 6.2.2.2). Decoding others, such as %2F, would change the path's meaning. The query
// keeps its escapes.
func decodeUnreserved(target []byte) []byte {
	decoded := make([]byte, 0, len(target))
	for i := 0; i < len(target); i++ {
		if target[i] == '?' || target[i] == '#' {
			return append(decoded, target[i:]...)
		}
		if target[i] == '%' && i+2 < len(target) {
			char, err := strconv.ParseUint(string(target[i+1:i+3]), 16, 8)
			if err == nil && isUnreserved(byte(char)) {
				decoded = append(decoded, byte(char))
				i += 2
				continue
			}
		}
		decoded = append(decoded, target[i])
	}
	return decoded
}

func isUnreserved(char byte) bool {
	isLetter := char|0x20 >= 'a' && char|0x20 <= 'z'
	return isLetter || char >= '0' && char <= '9' || char == '-' || char == '.' || char == '_' || char == '~'
}
