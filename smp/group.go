package smp

import (
	"fmt"
	"strconv"
)

// Group is the number of a command group. Numbers from [GroupUser] up belong to applications.
type Group uint16

// The groups that this package speaks (Zephyr mgmt_defines.h: MGMT_GROUP_ID_*). Log, crash and run exist in Mynewt
// only.
const (
	GroupOS       Group = 0
	GroupImage    Group = 1
	GroupStat     Group = 2
	GroupSettings Group = 3
	GroupLog      Group = 4
	GroupCrash    Group = 5
	GroupRun      Group = 7
	GroupFS       Group = 8
	GroupShell    Group = 9
	GroupEnum     Group = 10
	GroupZephyr   Group = 63 // Zephyr's own commands
	GroupUser     Group = 64 // the first one of the application
)

var groupNames = map[Group]string{
	GroupOS: "os", GroupImage: "image", GroupStat: "stat", GroupSettings: "settings", GroupLog: "log",
	GroupCrash: "crash",
	GroupRun:   "run", GroupFS: "fs", GroupShell: "shell", GroupEnum: "enum", GroupZephyr: "zephyr",
}

// String gives the short name of a known group, such as "settings", and "group 70" for others.
func (g Group) String() string {
	if name, ok := groupNames[g]; ok {
		return name
	}
	return "group " + strconv.Itoa(int(g))
}

// ParseGroup reads a group's short name or its number: decimal, or hexadecimal behind "0x".
func ParseGroup(s string) (Group, error) {
	for g, name := range groupNames {
		if s == name {
			return g, nil
		}
	}
	n, err := strconv.ParseUint(s, 0, 16)
	if err != nil {
		return 0, fmt.Errorf("group %q: want a name, such as os, or a number up to 65535", printable(s))
	}
	return Group(n), nil
}
