package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

var (
	// ErrRefused means that the address must not be reached.
	ErrRefused = errors.New("address refused")
	// ErrUnsuitable means that the server answered, but not with what was requested.
	ErrUnsuitable = errors.New("unsuitable response")
)

const (
	maxURL       = 2048
	maxRedirects = 3
	timeout      = 3 * time.Second
	// concurrent is the maximum number of requests that a Client sends at the same time. Others wait.
	concurrent = 8
	// PageSize is how many bytes of a page are read. The rest is ignored, because the metadata is at the beginning.
	PageSize = 512 << 10
)

// Options configure a Client.
type Options struct {
	// UserAgent identifies the program to the servers.
	UserAgent string
	// Guard should be zero, except in tests.
	Guard Guard
}

// A Client fetches pages and the files that they refer to.
type Client struct {
	http      *http.Client
	userAgent string
	slots     chan struct{}
}

// A Response is a response with status 200.
type Response struct {
	URL         *url.URL // after redirects
	ContentType string   // as the server sent it
	Body        []byte
}

// New returns a Client.
func New(options Options) *Client {
	return &Client{
		http:      &http.Client{Transport: NewTransport(options.Guard), CheckRedirect: checkRedirect},
		userAgent: options.UserAgent,
		slots:     make(chan struct{}, concurrent),
	}
}

// checkRedirect allows a redirect. The transport checks its address.
func checkRedirect(request *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("%w: more than %d redirects", ErrUnsuitable, maxRedirects)
	}
	if len(request.URL.String()) > maxURL {
		return fmt.Errorf("%w: redirect to a long address", ErrRefused)
	}
	request.Header.Del("Referer")
	return nil
}

// Page fetches an HTML page, or its first PageSize bytes.
func (c *Client) Page(ctx context.Context, address string) (Response, error) {
	return c.get(ctx, address, "text/html, application/xhtml+xml", func(body io.Reader) ([]byte, error) {
		return io.ReadAll(io.LimitReader(body, PageSize))
	})
}

// File fetches a file of one of the media types, of at most limit bytes.
func (c *Client) File(ctx context.Context, address, mediaTypes string, limit int) (Response, error) {
	return c.get(ctx, address, mediaTypes, func(body io.Reader) ([]byte, error) {
		data, err := io.ReadAll(io.LimitReader(body, int64(limit)+1))
		if len(data) > limit {
			return nil, fmt.Errorf("%w: more than %d bytes", ErrUnsuitable, limit)
		}
		return data, err
	})
}

// get fetches a file whose media type is in accept, which is a list as in the header of the request.
func (c *Client) get(ctx context.Context, address, accept string, read func(io.Reader) ([]byte, error)) (found Response, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return found, fmt.Errorf("wait for other requests: %w", ctx.Err())
	}
	if len(address) > maxURL {
		return found, fmt.Errorf("%w: address of %d bytes", ErrRefused, len(address))
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return found, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	request.Header.Set("User-Agent", c.userAgent)
	request.Header.Set("Accept", accept)
	response, err := c.http.Do(request)
	if err != nil {
		var failed *url.Error // its text contains the URL, which does not belong in logs
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return found, fmt.Errorf("fetch: %w", err)
	}
	defer response.Body.Close()
	found.URL, found.ContentType = response.Request.URL, response.Header.Get("Content-Type")
	if response.StatusCode != http.StatusOK {
		return found, fmt.Errorf("%w: status %d", ErrUnsuitable, response.StatusCode)
	}
	if !accepts(accept, found.ContentType) {
		return found, fmt.Errorf("%w: media type %q", ErrUnsuitable, found.ContentType)
	}
	if found.Body, err = read(response.Body); err != nil {
		return found, fmt.Errorf("read the response: %w", err)
	}
	return found, nil
}

// accepts reports whether the media type of a Content-Type header is in the list.
func accepts(list, contentType string) bool {
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return false
	}
	return slices.ContainsFunc(splitList(list), func(accepted string) bool { return accepted == mediaType })
}

func splitList(list string) []string {
	values := strings.Split(list, ",")
	for i := range values {
		values[i] = strings.TrimSpace(values[i])
	}
	return values
}
