// Package child runs programs of the user: commands that sign, that check an update, that help with tokens. None gets a
// secret of smpctl in its environment, and when the user gives up, all of them end, with their children.
package child
