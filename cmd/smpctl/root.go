package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// chapters are the groups of commands in the help, and their order.
var chapters = []struct{ id, title, commands string }{
	{"update", "Update:", "upgrade recover image reset"},
	{"look", "Look:", "ports info monitor bench echo params os-info bootloader taskstat mpstat datetime"},
	{"groups", "Other command groups:", "stat settings config fs shell enum zephyr raw log run crash"},
	{"files", "Files and connections:", "inspect verify sign key package conn sim"},
}

// addCommands gives the root its commands, in the order of the chapters.
func addCommands(root *cobra.Command, commands []*cobra.Command) {
	byName := map[string]*cobra.Command{}
	for _, c := range commands {
		byName[c.Name()] = c
	}
	for _, chapter := range chapters {
		root.AddGroup(&cobra.Group{ID: chapter.id, Title: chapter.title})
		for _, name := range strings.Fields(chapter.commands) {
			c, ok := byName[name]
			if !ok {
				panic("smpctl: no command " + name)
			}
			c.GroupID = chapter.id
			root.AddCommand(c)
			delete(byName, name)
		}
	}
	for _, c := range commands { // version, which is in no chapter
		if byName[c.Name()] != nil {
			root.AddCommand(c)
		}
	}
}
