package dfu_test

import "time"

// kind is a sort of fault: how a seed makes a trial of it, and what must hold.
type kind struct {
	name     string
	within   time.Duration // done or not
	sure     bool          // it must be done
	lasts    bool          // nothing on a clean link would help either
	overruns bool          // packets may be lost for want of buffers
	set      func(s *trial, seed int)
}

// share grows with the seed, from a fifth of most to most.
func share(most float64, seed int) float64 { return most * float64(1+seed%5) / 5 }

// at spreads an event over an upload of 25 kB.
func at(seed, step int) int { return 1 + seed*step }

var faultKinds = []kind{
	{name: "none", within: 30 * time.Second, sure: true, set: func(s *trial, seed int) {}},

	// The wire.
	{name: "bit flips, few", within: time.Minute, sure: true,
		set: func(s *trial, seed int) { s.wire.Flip = share(0.0002, seed) }},
	{name: "bit flips, many", within: 6 * time.Minute,
		set: func(s *trial, seed int) { s.wire.Flip = share(0.002, seed) }},
	{name: "lost bytes", within: 2 * time.Minute,
		set: func(s *trial, seed int) { s.wire.LoseByte = share(0.0005, seed) }},
	{name: "lost lines", within: 3 * time.Minute,
		set: func(s *trial, seed int) { s.wire.LoseLine = share(0.03, seed) }},
	{name: "doubled lines", within: 3 * time.Minute,
		set: func(s *trial, seed int) { s.wire.DoubleLine = share(0.05, seed) }},
	{name: "log text between lines", within: 2 * time.Minute,
		set: func(s *trial, seed int) { s.wire.LogBetween = share(0.5, seed) }},
	{name: "log text inside lines", within: 2 * time.Minute,
		set: func(s *trial, seed int) { s.wire.LogInside = share(0.05, seed) }},
	{name: "echo", within: time.Minute, sure: true, set: func(s *trial, seed int) { s.wire.Echo = share(1, seed) }},
	{name: "stalls below the time-out", within: 4 * time.Minute, sure: true, set: func(s *trial, seed int) {
		s.wire.Stall, s.wire.StallFor = share(0.05, seed), 2*time.Second
	}},
	{name: "stalls beyond the time-out", within: 6 * time.Minute, set: func(s *trial, seed int) {
		s.wire.Stall, s.wire.StallFor = share(0.02, seed), time.Duration(4+seed%12)*time.Second
	}},
	{name: "late and re-ordered answers", within: 4 * time.Minute, set: func(s *trial, seed int) {
		s.wire.Late, s.wire.LateBy = share(0.1, seed), time.Duration(100+400*(seed%10))*time.Millisecond
	}},
	{name: "write stalls", within: 6 * time.Minute, set: func(s *trial, seed int) {
		s.wire.StallWrite, s.wire.StallWriteFor = share(0.02, seed), time.Duration(1+seed%8)*time.Second
	}},
	{name: "hang-up once", within: 2 * time.Minute, sure: true, set: func(s *trial, seed int) {
		s.once, s.wire.HangUpAfter = true, 2000+at(seed, 800)
	}},
	{name: "hang-up again and again", within: 5 * time.Minute,
		set: func(s *trial, seed int) { s.wire.HangUpAfter = at(seed, 300) }},
	{name: "everything a bit", within: 6 * time.Minute, set: func(s *trial, seed int) {
		p := share(0.01, seed)
		s.wire.Flip, s.wire.LoseByte, s.wire.LoseLine, s.wire.DoubleLine = p/100, p/100, p, p
		s.wire.LogBetween, s.wire.LogInside, s.wire.Echo, s.wire.Late, s.wire.LateBy = 10*p, p, p, p, time.Second
	}},

	// The device.
	{name: "reboot in the middle", within: 3 * time.Minute,
		set: func(s *trial, seed int) { s.device.Faults.RebootAfter = at(seed, 3) }},
	{name: "power loss and return", within: 3 * time.Minute, set: func(s *trial, seed int) {
		s.device.Faults.VanishAfter, s.device.Faults.VanishFor = at(seed, 800), time.Duration(1+seed%20)*time.Second
	}},
	{name: "vanishes for good", within: 5 * time.Minute, lasts: true,
		set: func(s *trial, seed int) { s.device.Faults.VanishAfter = at(seed, 600) }},
	{name: "last answer lost", within: time.Minute, sure: true,
		set: func(s *trial, seed int) { s.device.Faults.LoseLastAnswer = true }},
	{name: "answer to the reset lost", within: time.Minute, sure: true,
		set: func(s *trial, seed int) { s.device.Faults.LoseReset = true }},
	{name: "lost requests", within: 5 * time.Minute,
		set: func(s *trial, seed int) { s.device.Faults.DropRequest = share(0.1, seed) }},
	{name: "lost answers", within: 5 * time.Minute,
		set: func(s *trial, seed int) { s.device.Faults.DropReply = share(0.1, seed) }},
	{name: "doubled answers", within: time.Minute, sure: true,
		set: func(s *trial, seed int) { s.device.Faults.DuplicateReply = share(1, seed) }},
	{name: "two packet buffers", within: time.Minute, sure: true, set: func(s *trial, seed int) {
		s.device.BufCount, s.device.BufSize = 2, 256+64*(seed%12)
	}},
	{name: "one to three line buffers", within: 3 * time.Minute, sure: true, set: func(s *trial, seed int) {
		s.device.RXLines, s.device.LineTime, s.device.Baud = 1+seed%3, time.Duration(1+seed%20)*time.Millisecond, 0
		s.device.BufSize = 256 << (seed % 4)
	}},
	{name: "slow erase", within: 3 * time.Minute, sure: true, set: func(s *trial, seed int) {
		s.used, s.device.EraseTime = true, 40*time.Second/8
	}},
	{name: "aligned writes", within: time.Minute, sure: true,
		set: func(s *trial, seed int) { s.device.AlignWrite = 4 << (seed % 6) }},
	{name: "latency", within: 3 * time.Minute, sure: true, set: func(s *trial, seed int) {
		s.device.Latency = time.Duration(10+50*(seed%12)) * time.Millisecond
	}},
	{name: "talkative console", within: time.Minute, sure: true,
		set: func(s *trial, seed int) { s.device.Noise = true }},
	{name: "slow server that loses answers", within: 6 * time.Minute, set: func(s *trial, seed int) {
		s.device.Faults.DropReply, s.device.Latency, s.device.BufCount = share(0.05, seed), 300*time.Millisecond,
			2+seed%3
	}},
}
