package accounts_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"burble/app/accounts"
	"burble/streams/redistest"
)

// TestRevocationIsFast measures how long a sign-out takes to reach a connection of another server.
func TestRevocationIsFast(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	here, elsewhere := open(t, server.Redis()), open(t, server.Redis())
	follow(t, elsewhere, server.Redis())
	var took []time.Duration
	for i := range 30 {
		signedIn := join(t, here, "Ada", accounts.Member)
		socket := newRecorder()
		if _, err := elsewhere.Subscribe(ctx, signedIn.Session, socket); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		want := accounts.ErrSignedOut
		if i%2 == 0 {
			wantError(t, "sign out", here.SignOut(ctx, signedIn.User.ID, signedIn.User.ID), nil)
		} else {
			want = accounts.ErrBanned
			wantError(t, "ban", here.Ban(ctx, accounts.Operator, signedIn.User.ID, ""), nil)
		}
		if e := socket.next(t); e.err != want {
			t.Errorf("notified of %v, want %v", e.err, want)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	t.Logf("median %v, slowest %v", took[len(took)/2], took[len(took)-1])
	if median := took[len(took)/2]; median > time.Second {
		t.Errorf("a sign-out takes %v, want at most a second", median)
	}
}

// TestServerWithoutTail signs a person out and changes a role while the server's tail is cut.
func TestServerWithoutTail(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	a := open(t, server.Redis())
	tail := follow(t, a, server.Redis())
	signedIn, other := join(t, a, "Ada", accounts.Member), join(t, a, "Bob", accounts.Member)
	socket := newRecorder()
	for _, session := range []accounts.Session{signedIn.Session, other.Session} {
		if _, err := a.Subscribe(ctx, session, socket); err != nil {
			t.Fatal(err)
		}
	}
	tail.cut()
	wantError(t, "sign out", a.SignOut(ctx, signedIn.User.ID, signedIn.User.ID), nil)
	wantError(t, "role", a.SetRole(ctx, accounts.Operator, other.User.ID, accounts.Owner), nil)
	if len(socket) > 0 {
		t.Error("the socket was notified although the tail is cut")
	}
	tail.resume()
	events := []event{socket.next(t), socket.next(t)}
	if !slices.ContainsFunc(events, func(e event) bool { return e.err == accounts.ErrSignedOut }) ||
		!slices.ContainsFunc(events, func(e event) bool { return e.err == nil && e.verdict.Role == accounts.Owner }) {
		t.Errorf("notified of %v, want a sign-out and the role owner", events)
	}
	wantVerdict(t, a, signedIn, accounts.ErrSignedOut)
	wantVerdict(t, a, other, nil)
}

// BenchmarkRestored checks 5,000 sessions after an interruption.
func BenchmarkRestored(b *testing.B) {
	a := open(b, redistest.Start(b).Redis())
	for i := range 100 {
		atOnce(50, func(k int) {
			signedIn := join(b, a, fmt.Sprint("User ", i, " ", k), accounts.Member)
			if _, err := a.Subscribe(ctx, signedIn.Session, newRecorder()); err != nil {
				b.Error(err)
			}
		})
	}
	for b.Loop() {
		if err := a.Restored(ctx, "0-0"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSignIn(b *testing.B) {
	a := start(b)
	ada := join(b, a, "Ada", accounts.Member)
	for b.Loop() {
		code, err := a.CreateLink(ctx, ada.User.ID, ada.User.ID)
		if err == nil {
			_, err = a.SpendLink(ctx, code, accounts.SignIn{})
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	a := start(b)
	token := join(b, a, "Ada", accounts.Member).Token
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Verify(token); err != nil {
			b.Fatal(err)
		}
	}
}
