// Package bus has buses of virtual boards, which stand for those of the computer: in this process, or in another one
// that serves them through a folder. What finds, chooses, waits for and follows ports cannot tell them apart.
//
//	sim.Rack ──OfRack──> Bus
//	sim.Rack ──Serve──> DIR/ttySIM0.json, a file for each port present ──OfFolder──> Bus
//	            │                 │ address
//	            └── 127.0.0.1:N <─┘ bytes, until the board is reset
package bus
