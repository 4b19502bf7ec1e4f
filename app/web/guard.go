package web

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"

	"burble/app/caller"
	"burble/app/httpguard"
	"burble/app/peer"
	"burble/app/protocol"
	"burble/app/uploads"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// guard makes the HTTP server respond with our errors and headers to requests that it refuses itself:
// those with an unknown method, and those that package httpguard refuses. It also lets the handler of an
// upload read the body from the connection.
func (s *Server) guard() {
	server := s.fiber.Server()
	handle, refuse := server.Handler, server.ErrorHandler
	server.HeaderReceived = func(header *fasthttp.RequestHeader) fasthttp.RequestConfig {
		config := httpguard.HeaderReceived(header)
		if s.isUpload(header) {
			httpguard.LeaveBodyUnread(header)
		}
		return config
	}
	server.Handler = func(ctx *fasthttp.RequestCtx) {
		conn, guarded := ctx.Conn().(*httpguard.Conn)
		if guarded && s.isUpload(&ctx.Request.Header) {
			conn.BeginBody()
			defer conn.EndBody(ctx)
		}
		if guarded {
			conn.Forget()
		}
		err := checkRequest(&ctx.Request.Header)
		if err == nil {
			handle(ctx)
			return
		}
		if guarded && ctx.Request.Header.ConnectionClose() {
			conn.Linger()
		}
		c := s.fiber.AcquireCtx(ctx)
		defer s.fiber.ReleaseCtx(c)
		s.respondError(c, err)
	}
	server.ErrorHandler = func(ctx *fasthttp.RequestCtx, err error) {
		tooLarge, timeout := (*fasthttp.ErrSmallBuffer)(nil), net.Error(nil)
		if conn, ok := ctx.Conn().(*httpguard.Conn); ok && !(errors.As(err, &timeout) && timeout.Timeout()) {
			conn.Linger()
			if errors.As(err, &tooLarge) {
				conn.ReadRest(&ctx.Request.Header)
			}
		}
		refuse(ctx, err)
	}
}

// isUpload reports whether a request is an upload. Its handler reads the body from the connection, because the body may
// be larger than that of any other request.
func (s *Server) isUpload(header *fasthttp.RequestHeader) bool {
	return s.options.Files != nil && uploads.IsUpload(header)
}

func checkRequest(header *fasthttp.RequestHeader) error {
	// HeaderReceived has already called Check. If Check refused the request, HeaderReceived set Connection: close, so
	// other requests need no second check.
	if header.ConnectionClose() {
		if refusal := httpguard.Check(header); refusal != nil {
			return &protocol.Error{Code: protocol.BadFrame, Status: refusal.Status, Message: refusal.Message}
		}
	}
	if !slices.Contains(fiber.DefaultMethods, string(header.Method())) {
		return &protocol.Error{Code: protocol.BadFrame, Status: http.StatusNotImplemented, Message: "This server does not implement this method."}
	}
	return nil
}

func newHosts(options Options) httpguard.Hosts {
	names := slices.Clone(options.Hosts)
	for _, origin := range options.Origins {
		_, host, _ := strings.Cut(origin, "://")
		names = append(names, host)
	}
	return httpguard.NewHosts(names...)
}

// checkHost is middleware that refuses requests to a host that is not this server. HTTP/1.0 programs may
// omit the host, but browsers do not.
func (s *Server) checkHost(c *fiber.Ctx) error {
	host := caller.Host(c)
	if host == "" || s.hosts.Allows(host) {
		return c.Next()
	}
	s.hostLogs.Do(func() {
		s.log.Warn("request refused because of its Host: if that is a name of this server, add it to HOSTS", "host", host)
	})
	name := httpguard.Name(host)
	return &protocol.Error{
		Code: protocol.NotAllowed, Status: http.StatusMisdirectedRequest, Field: "host",
		Message: fmt.Sprintf("This server does not know the host %q. If that is a name of this server, its administrator must add it to HOSTS: HOSTS=%s.", name, name),
		Title:   "This server is not known as " + name,
		Detail:  fmt.Sprintf("If this is the right address, the administrator must add it to the server’s settings: HOSTS=%s.", name),
	}
}

// redirectToTLS is middleware that redirects a request to https if the trusted proxy received it
// without TLS. It does not redirect hosts that cannot have a certificate, or WebSockets, because their
// clients do not follow redirects.
func (s *Server) redirectToTLS(c *fiber.Ctx) error {
	isRead := c.Method() == http.MethodGet || c.Method() == http.MethodHead
	host := caller.Host(c)
	if !isRead || c.Path() == "/ws" || !peer.IsPlain(caller.LastHeader(c), s.options.TrustedProxy) || host == "" || httpguard.IsPrivate(host) {
		return c.Next()
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Redirect("https://"+strings.TrimSuffix(host, ":80")+c.OriginalURL(), http.StatusPermanentRedirect)
}
