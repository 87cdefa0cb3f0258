package smp

import "context"

// ShellGroup holds the command of the shell group (Zephyr smp_group_9.rst). Use it as a field of a [Client].
type ShellGroup struct{ c *Client }

// ShellResult is what a shell command did.
type ShellResult struct {
	Output string // as the device sent it, with its line ends and colours; untrusted text
	Status int    // what the command returned: 0 is success, a negative one is an errno of the device
}

type shellRequest struct {
	Args []string `cbor:"argv"`
}

type shellReply struct {
	Output *string `cbor:"o"`
	Ret    *int64  `cbor:"ret"`
	RC     int64   `cbor:"rc"` // name of ret in old servers; of a refusal, if there is no output
}

// Exec runs a command of the device's shell and waits until it returns, 30 s unless [Options] say otherwise. The device
// joins the arguments with spaces, so one argument may hold the whole line, and one with a space inside needs quotes of
// its own. The request is sent once: nobody knows what a second one would do.
//
// A command that fails is no error, its [ShellResult] says so. Output that does not fit the device's buffer is a
// *[DeviceError] with the name EMSGSIZE, though the command ran.
func (g ShellGroup) Exec(ctx context.Context, args ...string) (ShellResult, error) {
	if args == nil {
		args = []string{} // nil would be encoded as null
	}
	body, err := shellExec.ask(ctx, g.c, shellRequest{args})
	if err != nil {
		return ShellResult{}, err
	}
	var r shellReply
	if err := decode(body, &r); err != nil || r.Output == nil {
		if err := refusal(shellExec.name, shellExec.group, body); err != nil {
			return ShellResult{}, err
		}
		return ShellResult{}, protocolError(shellExec.name, "no output in it")
	}
	if r.Ret == nil {
		r.Ret = &r.RC
	}
	return ShellResult{*r.Output, clampInt32(*r.Ret)}, nil
}
