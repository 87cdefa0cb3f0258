package station

import (
	"fmt"
	"io"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
)

// stationResult is what a station did until it ended.
type stationResult struct {
	Station string  `json:"station"` // its name
	Passed  int     `json:"passed"`  // boards
	Failed  int     `json:"failed"`  // boards
	Unknown int     `json:"unknown"` // boards of which nobody knows how they ended
	Records string  `json:"records"` // folder of the records
	Seconds float64 `json:"seconds"`
}

func (r stationResult) Text(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%s: %d passed, %d failed, %d unknown in %s; records in %s\n", r.Station, r.Passed, r.Failed,
		r.Unknown, human.About(time.Duration(r.Seconds*float64(time.Second))), r.Records)
	return err
}

// initResult is a file to begin with.
type initResult struct {
	TOML string `json:"toml"` // its text
}

func (r initResult) Text(w io.Writer) error {
	_, err := io.WriteString(w, r.TOML)
	return err
}
