package sim

import (
	"slices"

	"github.com/smpctl/smpctl/smp"
)

// enumCommand is the table of the enumeration group (Zephyr smp_group_10.rst, enum_mgmt.c).
func enumCommand(id uint8) command {
	switch id {
	case 0:
		return command{read: enumCount}
	case 1:
		return command{read: enumList}
	case 2:
		return command{read: enumSingle}
	case 3:
		return command{read: enumDetails}
	}
	return command{}
}

// groupNames are the names that servers give their groups, in the order in which a linker puts them.
var groupNames = []struct {
	group smp.Group
	name  string
}{
	{smp.GroupCrash, "crash mgmt"}, {smp.GroupEnum, "enum mgmt"}, {smp.GroupFS, "fs mgmt"},
	{smp.GroupImage, "img mgmt"}, {smp.GroupLog, "log mgmt"},
	{smp.GroupOS, "os mgmt"}, {smp.GroupRun, "run mgmt"}, {smp.GroupSettings, "settings mgmt"},
	{smp.GroupShell, "shell mgmt"},
	{smp.GroupStat, "stat mgmt"}, {smp.GroupZephyr, "zephyr basic mgmt"},
}

// groupInfo is one group that this device has.
type groupInfo struct {
	group    smp.Group
	name     string
	handlers uint64 // length of its table
}

// groups lists the groups that this device has.
func (d *Device) groups() []groupInfo {
	var all []groupInfo
	for _, g := range groupNames {
		handlers := 0
		for id := range 32 {
			if _, ok := d.command(g.group, uint8(id)); ok {
				handlers = id + 1
			}
		}
		if handlers > 0 {
			all = append(all, groupInfo{g.group, g.name, uint64(handlers)})
		}
	}
	return all
}

func enumCount(c *call) *failure {
	c.w.text("count")
	c.w.uint(uint64(len(c.d.groups())))
	return nil
}

func enumList(c *call) *failure {
	c.w.text("groups")
	c.w.openList()
	for _, g := range c.d.groups() {
		c.w.uint(uint64(g.group))
	}
	c.w.close()
	return nil
}

func enumSingle(c *call) *failure {
	var index uint32
	if f := c.arguments(argUint("index", &index)); f != nil {
		return f
	}
	all := c.d.groups()
	if int64(index) >= int64(len(all)) {
		return groupFailure(smp.GroupEnum, enumIndexTooLarge)
	}
	c.w.text("group")
	c.w.uint(uint64(all[index].group))
	if int(index) == len(all)-1 {
		c.w.text("end")
		c.w.bool(true)
	}
	return nil
}

// enumDetails answers an empty list of groups like none.
func enumDetails(c *call) *failure {
	var wanted []uint32
	if f := c.arguments(argList("groups", majorUint, &wanted)); f != nil {
		return f
	}
	c.w.text("groups")
	c.w.openList()
	for _, g := range c.d.groups() {
		if len(wanted) > 0 && !slices.Contains(wanted, uint32(g.group)) {
			continue
		}
		c.w.openMap()
		c.w.text("group")
		c.w.uint(uint64(g.group))
		c.w.text("name")
		c.w.text(g.name)
		c.w.text("handlers")
		c.w.uint(g.handlers)
		c.w.close()
	}
	c.w.close()
	return nil
}
