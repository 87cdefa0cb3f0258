package transport

// SysfsPorts lists the ports of any folder that looks like sysfs.
var SysfsPorts = sysfsPorts
