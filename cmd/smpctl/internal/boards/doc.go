// Package boards does the work of a command with many boards at once, or with one whose turn is to be recorded.
//
//	flags ──> boards (smp/fleet) ──┬─> One: identity, begin, --before, work, --after, end ──> Outcome ──┬─> Document
//	                               ├─> One: …                                                         ──┤
//	                               └─> One: …                                                         ──┘
//
// [Run] is for commands, [One] is the turn of one board, for whoever finds boards in another way. What the work is, it
// does not know: [Work] is what the command does with each board, unchanged from what it does with the only one.
package boards
