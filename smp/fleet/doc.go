// Package fleet works on many boards at once: which boards there are, and one report of each.
//
//	ports that fit        plan (pure)                     run (thin)
//	  Candidate ──┐     ┌──────────────────────┐        ┌─ board ── try, try again ──> Report
//	  Candidate ──┼───> │ one board, one entry │ ─────> ├─ board ── try ─────────────> Report
//	  Candidate ──┤     │ names, order, count  │        ├─ board ── try ─────────────> Report
//	  Candidate ──┘     │ who is refused       │        └─ refused ──────────────────> Report
//	                    └──────────────────────┘
//
// [NewPlan] makes boards of ports: the same board twice counts once, and boards that cannot be told apart are refused.
// [Run] does something with each of them, so many at a time; no board stops, delays or fails another. [Upgrade] is Run
// with an update of package dfu.
//
//	var found []fleet.Candidate
//	for _, p := range ports { // of transport.Ports
//		found = append(found, fleet.Candidate{Port: p.Name, VID: uint16(p.VID), PID: uint16(p.PID),
//			Serial: p.OwnSerial(), Location: p.Location, Interface: p.Interface})
//	}
//	plan, err := fleet.NewPlan(found, fleet.PlanOptions{Expect: 8})
//	…
//	for _, r := range fleet.Run(ctx, plan.Boards, fleet.Options{Retry: 1}, work) {
//		fmt.Println(r.Board.Name, r.Err)
//	}
//
// It opens no port and knows no files: work, or what dials, does. Serial numbers come from devices. They name a board
// for people, and two devices with the same one are never taken for one board; neither is a serial number for one of
// another vendor's.
package fleet
