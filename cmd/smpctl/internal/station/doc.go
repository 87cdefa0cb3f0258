// Package station has the command station: boards are plugged in, and flashed, and a page says what became of them.
//
//	ports of the bus ──> watch ──┐                 ┌──> jobs (package boards) ──> records (package journal)
//	scanner, page, ticks ────────┼──> line (pure) ─┤
//	what jobs say ───────────────┘                 └──> page.View ──> browsers, terminal
//
// What happens next is decided in one place without I/O, the line: of what is plugged in where, of what was scanned, of
// what jobs say and of the time it makes orders to begin a board and the states of the slots. The engine around it sees
// to it that one goroutine asks the line, and that nothing that is slow (ports, boards, disks, browsers) holds it up.
package station
