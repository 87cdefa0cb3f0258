// Package monitor has the command monitor: a terminal on the port of a device that stays through resets.
package monitor
