package trace

import (
	"fmt"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/cborjson"
	"github.com/smpctl/smpctl/smp"
)

// commandWords are the names of commands in the output of monitor --frames, in the order of their numbers (Zephyr
// smp_groups).
var commandWords = map[smp.Group][]string{
	smp.GroupOS: {"echo", "console echo", "tasks", "memory pools", "date and time", "reset", "parameters", "info",
		"bootloader"},
	smp.GroupImage:    {"state", "upload", "file", "core list", "core load", "erase", "slots"},
	smp.GroupStat:     {"read", "list"},
	smp.GroupSettings: {"value", "delete", "commit", "load or save"},
	smp.GroupFS:       {"file", "status", "hash", "hash types", "close"},
	smp.GroupShell:    {"exec"},
	smp.GroupEnum:     {"count", "list", "single", "details"},
	smp.GroupZephyr:   {"erase storage"},
}

// Words describes a packet in a line: what its header says, and the beginning of its payload as JSON.
func Words(packet []byte) string {
	h, payload, err := smp.ParseHeader(packet)
	if err != nil {
		return err.Error()
	}
	command := fmt.Sprintf("command %d", h.Command)
	if names := commandWords[h.Group]; int(h.Command) < len(names) {
		command = names[h.Command]
	}
	return fmt.Sprintf("%s: %s %s, sequence %d, version %s, %d bytes%s",
		h.Op, h.Group, command, h.Sequence, h.Version, len(payload), payloadWords(payload))
}

// payloadWords is the beginning of a payload as JSON, if it is CBOR.
func payloadWords(payload []byte) string {
	const most = 120 // bytes of a line for people
	text, err := cborjson.ToJSON(payload)
	switch {
	case err != nil:
		return ""
	case len(text) > most:
		return fmt.Sprintf(" %s...", text[:most])
	}
	return fmt.Sprintf(" %s", text)
}
