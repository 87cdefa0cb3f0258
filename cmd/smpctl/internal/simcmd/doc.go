// Package simcmd has the command sim, which serves the virtual device on a pseudo-terminal, over TCP or UDP.
package simcmd
