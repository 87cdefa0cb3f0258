// Package screen takes text that a device printed and makes it fit for a terminal: it bounds it, cuts it into lines, and
// leaves nothing in it that could steer the screen.
package screen
