package protocol_test

import (
	"fmt"

	"burble/app/protocol"
)

func Example() {
	frame, err := protocol.Parse([]byte(`{"type":"send","room":"lobby","text":"hi"}`))
	if err != nil {
		fmt.Printf("%s\n", protocol.EncodeError(protocol.AsError(err), frame.Room, frame.Key))
	}
	// Output:
	// {"type":"error","code":"bad_field","message":"A frame of type \"send\" needs the field \"key\".","room":"lobby","field":"key"}
}
