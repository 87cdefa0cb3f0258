package smp

import "context"

// ZephyrGroup holds the command of Zephyr's own group (Zephyr include/zephyr/mgmt/mcumgr/grp/zephyr/zephyr_basic.h).
// Use it as a field of a [Client].
type ZephyrGroup struct{ c *Client }

// EraseStorage erases the whole storage partition, where settings are saved, and waits until that is done, up to a
// minute. A server that speaks version 1 of the protocol only may report success although it failed.
func (g ZephyrGroup) EraseStorage(ctx context.Context) error {
	_, err := zephyrErase.do(ctx, g.c, none{})
	return err
}
