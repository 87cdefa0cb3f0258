package sim

import "slices"

// runCommand is the table of the run group.
func runCommand(id uint8) command {
	switch id {
	case 0:
		return command{write: runTest}
	case 1:
		return command{read: func(c *call) *failure { return c.names("run_list", deviceTests...) }}
	}
	return command{}
}

var deviceTests = []string{"flash", "uart"}

// runTest runs tests, which all pass, and writes that to the log.
func runTest(c *call) *failure {
	var name, token string
	if f := c.arguments(argText("testname", &name), argText("token", &token)); f != nil {
		return f
	}
	if name != "" && name != "all" && !slices.Contains(deviceTests, name) {
		return protocolFailure(rcInvalid)
	}
	for _, t := range deviceTests {
		if name == "" || name == "all" || name == t {
			c.d.log.note(moduleTest, "%s: passed %s", t, token)
		}
	}
	return nil
}

// crashCommand is the table of the crash group.
func crashCommand(id uint8) command {
	if id == 0 {
		return command{write: crash}
	}
	return command{}
}

// crash resets the device at once, without an answer.
func crash(c *call) *failure {
	var kind string
	if f := c.arguments(argText("t", &kind)); f != nil {
		return f
	}
	if !slices.Contains([]string{"div0", "jump0", "ref0", "assert", "wdog"}, kind) {
		return protocolFailure(rcInvalid)
	}
	c.d.log.note(moduleReboot, "crash: %s", kind)
	c.d.reboot()
	return nil
}
