//go:build !race

package pictures_test

const raceEnabled = false
