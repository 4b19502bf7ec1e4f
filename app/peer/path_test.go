package peer

import "testing"

func TestLocalPath(t *testing.T) {
	t.Parallel()
	for next, want := range map[string]string{
		"/": "/", "/r/lobby?x=1#y": "/r/lobby?x=1#y", "": "/", "//evil.example": "/", "https://evil.example": "/",
		"/\\evil.example": "/", "\\\\evil.example": "/", "/\t/evil.example": "/", "/\n/evil.example": "/", "r/lobby": "/",
		"javascript:alert(1)": "/", "/%2f/evil.example": "/%2f/evil.example", " /x": "/", "/x\r\nSet-Cookie: y": "/",
	} {
		if got := LocalPath(next); got != want {
			t.Errorf("%q: got %q, want %q", next, got, want)
		}
	}
}
