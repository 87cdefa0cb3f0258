package main

import (
	"fmt"

	"github.com/smpctl/smpctl/smp"
)

// groupWords are the groups that appear with names in the output of monitor --frames, and the commands of each in the order of their
// numbers (Zephyr smp_groups).
var groupWords = map[smp.Group]struct {
	name     string
	commands []string
}{
	0:  {"os", []string{"echo", "console echo", "tasks", "memory pools", "date and time", "reset", "parameters", "info", "bootloader"}},
	1:  {"image", []string{"state", "upload", "file", "core list", "core load", "erase", "slots"}},
	2:  {"stat", []string{"read", "list"}},
	3:  {"settings", []string{"value", "delete", "commit", "load or save"}},
	4:  {"log", nil},
	5:  {"crash", nil},
	7:  {"run", nil},
	8:  {"fs", []string{"file", "status", "hash", "hash types", "close"}},
	9:  {"shell", []string{"exec"}},
	10: {"enum", []string{"count", "list", "single", "details"}},
	63: {"zephyr", []string{"erase storage"}},
}

// frameWords describes a packet in a line. Nothing of its payload is in it.
func frameWords(packet []byte) string {
	h, payload, err := smp.ParseHeader(packet)
	if err != nil {
		return err.Error()
	}
	group, command := groupWords[h.Group].name, fmt.Sprintf("command %d", h.Command)
	if group == "" {
		group = fmt.Sprintf("group %d", uint16(h.Group))
	}
	if names := groupWords[h.Group].commands; int(h.Command) < len(names) {
		command = names[h.Command]
	}
	return fmt.Sprintf("%s: %s %s, sequence %d, version %s, %d bytes", h.Op, group, command, h.Sequence, h.Version, len(payload))
}
