package cli

// What the manual page of smpctl says beyond the help.

const manualDescription = `smpctl updates and manages devices that speak SMP, the protocol of MCUmgr: Zephyr
applications, MCUboot's serial recovery and Mynewt. It reaches them over serial ports and USB CDC ACM, and over TCP
and UDP.

An update counts as done when the device runs the new image and says so. Every wait is bounded. An update that was
interrupted is taken up by the same command.

The result goes to standard output and nothing else does; with --json it is one JSON document. News and errors go to
standard error. Nothing is ever asked on standard input.

With a single USB serial port present, --port can be left out. An address such as usb:2fe3:0004 or usb:serial=DE5A2E
names a device instead of a port, and follows it across resets. sim: is a virtual device to try everything on.`

const manualExamples = `smpctl ports
smpctl -p /dev/ttyACM0 info
smpctl -p /dev/ttyACM0 upgrade app.signed.bin
smpctl -p usb:2fe3:0004 upgrade app.signed.bin --check ./selftest.sh
smpctl --json -p /dev/ttyACM0 upgrade app.signed.bin >record.json`

// manualEnvironment are all variables that mean something to smpctl or to what it starts.
var manualEnvironment = []row{
	{"SMPCTL_PORT", "address of the device, where --port is not given"},
	{"SMPCTL_BUS", "folder of virtual boards that smpctl sim --boards serves, in the place of this computer's ports"},
	{"SMPCTL_BOARD_ID, SMPCTL_RESULT", "set by smpctl for the commands of --before, --after, --check and --id: what " +
		"names the board, and pass or fail"},
	{"SMPCTL_PASSPHRASE", "passphrase of a private key"},
	{"SMPCTL_PIN", "PIN of a PKCS#11 token"},
	{"SMPCTL_PKCS11", "the helper for such tokens, where it is not beside smpctl or on the path"},
	{"SMPCTL_PKCS11_MODULE", "the token's module, where the address of the key does not say so"},
	{"SMPCTL_SIGN_ALGORITHM, SMPCTL_SIGN_HASH, SMPCTL_SIGN_KEY_HASH, SMPCTL_SIGN_INPUT, SMPCTL_SIGN_DIGEST",
		"set by smpctl for a command that signs: --signer exec:COMMAND"},
	{"NO_COLOR", "no colours on a terminal, if it is not empty"},
	{"COLUMNS", "width of the help, instead of the terminal's"},
	{"XDG_CONFIG_HOME, XDG_CACHE_HOME", "where the user's files are kept"},
}

var manualFiles = []row{
	{"smpctl.toml", "a project's defaults: port, key and file. It is looked for in the current folder and in those " +
		"above it within the same repository. Flags, environment and --conn count more."},
	{"~/.config/smpctl/connections.toml", "saved connections, see smpctl-conn(1)"},
	{"~/.cache/smpctl/", "images that were listed a moment ago, for the shell's completion; the history of smpctl shell"},
}
