package sim

import "golang.org/x/sys/unix"

// noControl keeps a terminal from becoming the one that controls this process.
const noControl = unix.O_NOCTTY
