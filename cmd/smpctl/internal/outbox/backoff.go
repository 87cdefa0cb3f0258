package outbox

import "time"

// Limits of the time between two tries.
const (
	firstWait   = time.Second
	longestWait = 5 * time.Minute
	// longestAsked bounds what a target may ask for: it is not to silence a station for days.
	longestAsked = 15 * time.Minute
)

// wait is how long to wait after so many failures in a row, from 1. It doubles, and lies anywhere in its upper half,
// so that the stations of a plant do not come back all at once. What the target asks for is the least. random is at
// least 0 and less than 1.
func wait(failures int, asked time.Duration, random float64) time.Duration {
	d := longestWait
	if doubled := failures - 1; doubled < 10 {
		d = min(d, firstWait<<doubled)
	}
	d = d/2 + time.Duration(random*float64(d/2))
	return max(d, min(asked, longestAsked))
}
