package fetch_test

import (
	"context"
	"errors"
	"fmt"

	"burble/app/fetch"
)

func Example() {
	client := fetch.New(fetch.Options{UserAgent: "Burble (+https://chat.example.org)"})
	_, err := client.Page(context.Background(), "http://169.254.169.254/latest/meta-data/")
	fmt.Println(errors.Is(err, fetch.ErrRefused))
	// Output: true
}
