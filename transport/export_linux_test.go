package transport

import "golang.org/x/sys/unix"

// SysfsPorts lists the ports of any folder that looks like sysfs.
var SysfsPorts = sysfsPorts

// HolderIn looks for the holder of a port in any folder that looks like /proc.
var HolderIn = holderIn

// GroupNeeded is what a user of a session lacks, going by any folder that looks like /etc.
func GroupNeeded(etc string, node unix.Stat_t, id int, groups []int, name string) (group string, listed bool) {
	return user{id, groups, name}.groupNeeded(etc, node)
}

// LockPort opens a port as [Dial] does, before the serial library does it.
func LockPort(name string) (unlock func(), err error) {
	l, err := lockPort(name)
	if err != nil {
		return nil, err
	}
	return l.close, nil
}
