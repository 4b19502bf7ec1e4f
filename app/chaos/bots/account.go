package bots

import (
	"context"
	"errors"
	"net/url"
	"sync"
	"time"

	"burble/app/chaos/check"
	"burble/app/client"
)

// Account is an account that clients use. Its session may end, and be replaced by a new one.
type Account struct {
	User string

	mu    sync.Mutex
	token string
}

// NewAccount returns the account of a user. token is that of the account's first session.
func NewAccount(user, token string) *Account { return &Account{User: user, token: token} }

// Token returns the token of the account's current session.
func (a *Account) Token() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.token
}

// SetToken replaces the account's session.
func (a *Account) SetToken(token string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.token = token
}

var errAdmitted = errors.New("admitted")

// TryHiddenRoom tries to read and to write the room on every surface, until all faults are repaired. The server
// must always respond that there is no such room.
func (s *Environment) TryHiddenRoom(ctx context.Context, name, token, room string) {
	random := s.Random(name)
	read := func(ctx context.Context, protocol string, server *client.Server) error {
		follow := client.Follow{Room: room, Last: 10}
		return protocols[protocol](ctx, server, []client.Follow{follow}, func(frame client.Frame) error {
			switch f := frame.(type) {
			case *client.Error:
				return f
			case *client.Followed, *client.Entries, *client.Present, *client.Signal:
				return errAdmitted
			}
			return nil
		})
	}
	attempts := map[string]func(ctx context.Context, server *client.Server) error{
		"websocket": func(ctx context.Context, server *client.Server) error { return read(ctx, "websocket", server) },
		"sse":       func(ctx context.Context, server *client.Server) error { return read(ctx, "sse", server) },
		"ndjson":    func(ctx context.Context, server *client.Server) error { return read(ctx, "ndjson", server) },
		"page": func(ctx context.Context, server *client.Server) error {
			_, err := server.History(ctx, room, url.Values{"limit": {"30"}})
			return err
		},
		"search": func(ctx context.Context, server *client.Server) error {
			stream, err := server.OpenStream(ctx, "/r/"+room+"/search?q=author")
			if err == nil {
				stream.Close()
			}
			return err
		},
		"post": func(ctx context.Context, server *client.Server) error {
			_, err := server.Post(ctx, client.Message{Room: room, Key: client.NewKey(), Text: "let me in"})
			return err
		},
	}
	for !s.isRepaired() && ctx.Err() == nil {
		for surface, attempt := range attempts {
			bounded, cancel := context.WithTimeout(ctx, 5*time.Second)
			err := attempt(bounded, s.anyServer(random, token))
			cancel()
			refused, isRefused := errors.AsType[*client.Error](err)
			switch {
			case err == nil, errors.Is(err, errAdmitted):
				s.Record.AddFinding(check.Trespass, "%s: access to a hidden room through %s succeeded", name, surface)
			case !isRefused, refused.Code == "not_found", refused.Code == "unavailable", refused.Code == "rate_limited", refused.Code == "":
			case refused.Code == "not_allowed" && token == "" && surface == "post": // as in every room
			default:
				s.Record.AddFinding(check.WrongReply, "%s: access to a hidden room through %s was refused with %q, want not_found: %s", name, surface, refused.Code, refused.Message)
			}
		}
		s.waitUnlessRepaired(ctx, time.Duration(50+random.IntN(200))*time.Millisecond)
	}
}
