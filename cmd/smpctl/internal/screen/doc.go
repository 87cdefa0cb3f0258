// Package screen is about what reaches a terminal. It takes text that a device printed and makes it fit for one: it
// bounds it, cuts it into lines, and leaves nothing in it that could steer the screen. Display is the terminal itself:
// text, colours of our own, and one line that changes.
package screen
