// Package group has the commands of the SMP groups beside images: os, stat, settings, fs, shell, enum, zephyr, Mynewt's
// log, run and crash, and raw, which speaks to any group; info asks a device for all that it tells of itself.
package group
