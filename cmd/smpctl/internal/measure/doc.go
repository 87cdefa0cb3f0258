// Package measure finds out what a link to a device carries, what limits it, and what would make it faster. It changes
// nothing on the device.
//
//	plan ─what next→ measurement ─rows→ judge, with a model of the link → Report
//
// Text of several sizes is sent and comes back, one request at a time and then as many as the device has buffers for;
// requests with short answers show what an upload reaches if the flash keeps up. What is decided is pure: the plan, the
// model and the verdict know rows only. The package knows no command and no terminal.
package measure
