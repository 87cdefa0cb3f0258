package update

import (
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/smp"
)

// tuning is what suited the device, for people who wonder about the rate.
type tuning struct {
	InFlight    int     `json:"in_flight"`
	PacketLimit int     `json:"packet_limit_bytes"` // longest packet
	LineGap     float64 `json:"line_gap_seconds"`   // pause between the lines of a packet
	RoundTrip   float64 `json:"round_trip_seconds"` // from a request to its answer
	Lost        int     `json:"lost"`               // requests without an answer
}

// losses says how bad the link was, behind what it carried; nothing of a good one.
func losses(requests int) string {
	if requests == 0 {
		return ""
	}
	return ", " + human.Count(requests, "request") + " lost and sent again"
}

// newTuning is nil if nothing was sent.
func newTuning(s smp.Tuning) *tuning {
	if s.InFlight == 0 {
		return nil
	}
	return &tuning{s.InFlight, s.PacketLimit, s.LineGap.Seconds(), s.RoundTrip.Seconds(), s.Lost}
}
