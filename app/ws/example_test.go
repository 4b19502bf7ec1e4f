package ws_test

import (
	"bytes"
	"errors"
	"fmt"

	"burble/app/ws"
)

func Example() {
	sent := []byte{
		0x89, 0x80, 1, 2, 3, 4, // a ping
		0x81, 0x82, 0, 0, 0, 0, 'h', 'i', // a message, masked with zeros
		0x88, 0x80, 0, 0, 0, 0, // a close frame
	}
	reader := ws.NewReader(bytes.NewReader(sent), 64<<10)
	reader.Control = func(opcode byte, payload []byte) {
		if opcode == ws.OpPing {
			fmt.Printf("reply % x\n", ws.Frame(ws.OpPong, payload))
		}
	}
	for {
		message, whole, err := reader.Next()
		if closed := (*ws.CloseError)(nil); errors.As(err, &closed) {
			fmt.Printf("reply % x\n", ws.CloseFrame(closed.Code, closed.Reason))
			return
		}
		if err != nil {
			fmt.Println("connection lost:", err)
			return
		}
		if whole {
			fmt.Printf("message %s\n", message)
		}
	}
	// Output:
	// reply 8a 00
	// message hi
	// reply 88 02 03 e8
}
