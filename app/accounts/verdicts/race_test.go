//go:build race

package verdicts

const raceEnabled = true
