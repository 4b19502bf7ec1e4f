package limit_test

import (
	"fmt"
	"time"

	"burble/app/limit"
)

func ExampleRate() {
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	messages := limit.NewRate(5, 2) // 5 per second, in bursts of 2
	for range 3 {
		fmt.Println(messages.Allow("ada", 1, now))
	}
	// Output:
	// true 0s
	// true 0s
	// false 200ms
}

func ExampleQuota() {
	searches := limit.NewQuota(1)
	release, ok := searches.Take("ada", 1)
	fmt.Println(ok)
	_, ok = searches.Take("ada", 1)
	fmt.Println(ok)
	release()
	_, ok = searches.Take("ada", 1)
	fmt.Println(ok)
	// Output:
	// true
	// false
	// true
}
