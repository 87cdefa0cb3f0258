package main

import (
	"fmt"

	"github.com/smpctl/smpctl/transport"
)

const noReplyHint = "check port, baud rate and cable, that the firmware has SMP on this port (--raw if it uses raw " +
	"framing), " +
	"and that no terminal program reads it too"

const notBackHint = "power the board off and on, or plug it in again: the same command takes an update up; its port " +
	"may have another name now, " +
	"which smpctl ports shows"

// heard says what came instead of an answer, in front of a hint; empty if that was nothing, or packets only.
func heard(link *transport.Conn) string {
	s := link.Stats()
	packets := count(int(s.Packets), "whole packet")
	switch {
	case s.Damaged() > 0:
		pieces := count(int(s.Damaged()), "piece")
		return fmt.Sprintf("heard %s with %s, and %s of damaged packets or of text that looks like one (--trace FILE "+
			"shows them); ",
			size(int(s.Bytes)), packets, pieces)
	case s.TextBytes > 0:
		return fmt.Sprintf("heard %s of text, and %s (--trace FILE shows it); ", size(int(s.TextBytes)), packets)
	}
	return ""
}
