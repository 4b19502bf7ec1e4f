package client_test

import (
	"errors"
	"testing"

	"burble/app/client"
)

func TestChainRejectsFramesThatDoNotContinueIt(t *testing.T) {
	followed := func(state, at string) *client.Followed { return &client.Followed{Room: "lobby", State: state, At: at} }
	batch := func(after, upto string) *client.Entries {
		return &client.Entries{Room: "lobby", After: after, Upto: upto}
	}
	resumed := followed(client.Resumed, "1-0@E")
	for name, test := range map[string]struct {
		after  string
		frames []client.Frame
		broken bool // whether the last frame breaks the chain
	}{
		"resumed and read":         {"1-0@E", []client.Frame{resumed, batch("1-0@E", "5-0@E"), batch("5-0@E", "6-0@E")}, false},
		"fresh and read":           {"", []client.Frame{followed(client.Fresh, "1-0@E"), batch("1-0@E", "2-0@E")}, false},
		"epoch not known yet":      {"0-0", []client.Frame{followed(client.Resumed, "0-0@E"), batch("0-0@E", "2-0@E")}, false},
		"truncated while reading":  {"1-0@E", []client.Frame{resumed, followed(client.Truncated, "4-0@E"), batch("4-0@E", "5-0@E")}, false},
		"reset instead of resumed": {"1-0@E", []client.Frame{followed(client.Reset, "0-0@F"), batch("0-0@F", "5-0@F")}, false},
		"missing entries":          {"1-0@E", []client.Frame{resumed, batch("1-0@E", "2-0@E"), batch("3-0@E", "4-0@E")}, true},
		"repeated batch":           {"1-0@E", []client.Frame{resumed, batch("1-0@E", "2-0@E"), batch("1-0@E", "2-0@E")}, true},
		"entries of another epoch": {"1-0@E", []client.Frame{resumed, batch("1-0@F", "2-0@F")}, true},
		"entries before followed":  {"1-0@E", []client.Frame{batch("1-0@E", "2-0@E")}, true},
		"resumed elsewhere":        {"1-0@E", []client.Frame{followed(client.Resumed, "2-0@E")}, true},
		"fresh instead of resumed": {"1-0@E", []client.Frame{followed(client.Fresh, "1-0@E")}, true},
		"resumed without a follow": {"1-0@E", []client.Frame{resumed, resumed}, true},
		"a room without a follow":  {"1-0@E", []client.Frame{&client.Entries{Room: "dev", After: "1-0@E"}}, true},
	} {
		var chain client.Chain
		chain.AddFollow(client.Follow{Room: "lobby", After: test.after})
		for i, frame := range test.frames {
			err := chain.Check(frame)
			want := test.broken && i == len(test.frames)-1
			if _, got := errors.AsType[*client.ContinuityError](err); got != want {
				t.Errorf("%s: frame %d: got %v, want a ContinuityError: %v", name, i, err, want)
			}
		}
	}
}

func TestChainContinuesUntilASecondFollowIsAnswered(t *testing.T) {
	var chain client.Chain
	chain.AddFollow(client.Follow{Room: "lobby", After: "1-0@E"})
	for _, frame := range []client.Frame{
		&client.Followed{Room: "lobby", State: client.Resumed, At: "1-0@E"},
		&client.Entries{Room: "lobby", After: "1-0@E", Upto: "2-0@E"},
	} {
		if err := chain.Check(frame); err != nil {
			t.Error(err)
		}
	}
	chain.AddFollow(client.Follow{Room: "lobby", Last: 1})
	for _, frame := range []client.Frame{
		&client.Entries{Room: "lobby", After: "2-0@E", Upto: "3-0@E"}, // sent before the server read the second follow
		&client.Followed{Room: "lobby", State: client.Fresh, At: "2-0@E"},
		&client.Entries{Room: "lobby", After: "2-0@E", Upto: "3-0@E"},
	} {
		if err := chain.Check(frame); err != nil {
			t.Error(err)
		}
	}
	if got := chain.Cursor("lobby"); got != "3-0@E" {
		t.Errorf("the cursor is %s, want 3-0@E", got)
	}
}
