// Package records has the command records: what was done to boards, as journals tell it.
//
// Text in a record may be of boards, or of who edited the file: nothing of it reaches a terminal, a page, a table or
// another program but as text.
package records
