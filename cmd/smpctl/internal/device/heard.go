package device

import (
	"fmt"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/transport"
)

// heard says what came instead of an answer, in front of a hint; empty if that was nothing, or packets only.
func heard(link *transport.Conn) string {
	s := link.Stats()
	packets := human.Count(int(s.Packets), "whole packet")
	switch {
	case s.Damaged() > 0:
		pieces := human.Count(int(s.Damaged()), "piece")
		return fmt.Sprintf("heard %s with %s, and %s of damaged packets or of text that looks like one (--trace FILE "+
			"shows them); ",
			human.Size(int(s.Bytes)), packets, pieces)
	case s.TextBytes > 0:
		return fmt.Sprintf("heard %s of text, and %s (--trace FILE shows it); ", human.Size(int(s.TextBytes)), packets)
	}
	return ""
}
