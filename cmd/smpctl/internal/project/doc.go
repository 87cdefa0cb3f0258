// Package project knows the files of a firmware project: smpctl.toml with its defaults, and what its build made.
//
// [Find] looks for smpctl.toml:
//
//	port = "usb:2fe3:0100"           # as --port takes it
//	baud = 1000000
//	key = "keys/public.pem"          # relative to the folder of smpctl.toml
//	file = "build"                   # a file, or a build folder
//	image = 0
//	mode = "confirm-after"           # as --mode takes it
//
// Such a file comes with a repository that somebody else wrote, so nothing in it runs a command, and what a key means
// is not decided here: addresses and modes stay text.
//
// [BuildFile] says which file of a build folder of Zephyr or the nRF Connect SDK goes onto a device.
package project
