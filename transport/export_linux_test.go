package transport

// SysfsPorts lists the ports of any folder that looks like sysfs.
var SysfsPorts = sysfsPorts

// HolderIn looks for the holder of a port in any folder that looks like /proc.
var HolderIn = holderIn
