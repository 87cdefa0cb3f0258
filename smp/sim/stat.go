package sim

import (
	"time"

	"github.com/smpctl/smpctl/smp"
)

// statCommand is the table of the statistics group (Zephyr smp_group_2.rst, stat_mgmt.c).
func statCommand(id uint8) command {
	switch id {
	case 0:
		return command{read: statShow}
	case 1:
		return command{read: statList}
	}
	return command{}
}

// maxStatName is the longest name of a group of statistics (CONFIG_MCUMGR_GRP_STAT_MAX_NAME_LEN).
const maxStatName = 31

// stat is one counter.
type stat struct {
	name  string
	value uint64
}

// statGroup is a group of counters, read when it is asked for.
type statGroup struct {
	name string
	read func(c *call) []stat
}

var statGroups = []statGroup{
	{"flash_sim_stats", func(c *call) []stat {
		return []stat{{"bytes_written", c.d.flash.written}, {"flash_erase_calls", c.d.flash.erases}}
	}},
	{"flash_sim_thresholds", func(*call) []stat {
		return []stat{{"max_write_calls", 0}, {"max_erase_calls", 0}, {"max_len", 0}}
	}},
	{"smp_svr_stats", func(c *call) []stat {
		return []stat{{"ticks", uint64(time.Since(c.prog.since) / time.Second)},
			{"requests", uint64(c.d.stats.Requests)}}
	}},
}

func statList(c *call) *failure {
	c.w.text("stat_list")
	c.w.openList()
	for _, g := range statGroups {
		c.w.text(g.name)
	}
	c.w.close()
	return nil
}

func statShow(c *call) *failure {
	var name string
	f := c.arguments(argText("name", &name))
	if f != nil || name == "" || len(name) > maxStatName {
		return protocolFailure(rcInvalid)
	}
	for _, g := range statGroups {
		if g.name == name {
			c.statFields(g)
			return nil
		}
	}
	return groupFailure(smp.GroupStat, statInvalidName)
}

func (c *call) statFields(g statGroup) {
	c.w.text("name")
	c.w.text(g.name)
	c.w.text("fields")
	c.w.openMap()
	for _, s := range g.read(c) {
		c.w.text(s.name)
		c.w.uint(s.value)
	}
	c.w.close()
}
