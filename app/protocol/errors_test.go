package protocol

import (
	"strings"
	"testing"
	"time"
)

func TestErrorFrames(t *testing.T) {
	t.Parallel()
	tests := []struct {
		refused   *Error
		room, key string
		want      string
	}{
		{Errorf(BadFrame, "", "A frame must be a JSON object."), "", "", `{"type":"error","code":"bad_frame","message":"A frame must be a JSON object."}`},
		{Errorf(BadField, "of", `"of" is an ID.`), "lobby", exampleKey, `{"type":"error","code":"bad_field","message":"\"of\" is an ID.","room":"lobby","key":"` + exampleKey + `","field":"of"}`},
		{TooMany("messages", 1500*time.Millisecond), "lobby", "", `{"type":"error","code":"rate_limited","message":"Too many messages. Try again later.","room":"lobby","retry_after_ms":1500}`},
		{TooMany("frames", time.Microsecond), "", "", `{"type":"error","code":"rate_limited","message":"Too many frames. Try again later.","retry_after_ms":1}`},
	}
	for _, test := range tests {
		if got := string(EncodeError(test.refused, test.room, test.key)); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}

func TestErrorCodesHaveHTTPStatuses(t *testing.T) {
	t.Parallel()
	for _, code := range []Code{BadFrame, BadRoom, BadField, TooLong, TooLarge, NotFound, NotYours, NotAllowed, RateLimited, Full, Unavailable} {
		if status := (&Error{Code: code}).HTTPStatus(); status < 400 || status > 599 {
			t.Errorf("%s: status %d, want an error status", code, status)
		}
	}
}

func TestRetrySecondsAreRoundedUp(t *testing.T) {
	t.Parallel()
	for after, want := range map[time.Duration]int{time.Millisecond: 1, time.Second: 1, 1001 * time.Millisecond: 2} {
		if got := TooMany("", after).RetrySeconds(); got != want {
			t.Errorf("RetrySeconds for %v: got %d, want %d", after, got, want)
		}
	}
}

func TestStorageErrorsHaveMessages(t *testing.T) {
	t.Parallel()
	for _, entry := range storageErrors {
		if shown := AsError(entry.err); shown.Code != entry.shown.Code || shown.Message == "" || !strings.HasSuffix(shown.Message, ".") {
			t.Errorf("%v: clients see %+v, want code %s and a message that ends with a period", entry.err, shown, entry.shown.Code)
		}
	}
}
