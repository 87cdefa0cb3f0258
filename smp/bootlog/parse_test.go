package bootlog

import "testing"

func TestParse(t *testing.T) {
	tests := []struct {
		line string
		want event
	}{
		{"*** Booting MCUboot ee39e2d694bd ***\r\n", event{kind: start, text: "*** Booting MCUboot ee39e2d694bd ***"}},
		{"I: Starting bootloader\r", event{kind: start, level: 'I', text: "Starting bootloader"}},
		{
			"I: Image index: 0, Swap type: test",
			event{kind: swapType, level: 'I', text: "Image index: 0, Swap type: test", swap: "test"},
		},
		{"I: Swap type: revert", event{kind: swapType, level: 'I', text: "Swap type: revert", swap: "revert"}},
		{
			"E: Image in the secondary slot is not valid!\r\n",
			event{kind: refused, level: 'E', text: "Image in the secondary slot is not valid!"},
		},
		{
			"I: Image 0 in slot 1 erased due to downgrade prevention",
			event{kind: refused, level: 'I', text: "Image 0 in slot 1 erased due to downgrade prevention"},
		},
		{
			"E: Insufficient version in secondary slot",
			event{kind: refused, level: 'E', text: "Insufficient version in secondary slot"},
		},
		{"E: Image in slot 1 is not valid!", event{kind: refused, level: 'E', text: "Image in slot 1 is not valid!"}},
		{
			"E: insufficient version in secondary slot",
			event{kind: refused, level: 'E', text: "insufficient version in secondary slot"},
		},
		{"E: bad image magic 0xffffffff", event{kind: refused, level: 'E', text: "bad image magic 0xffffffff"}},
		{
			"I: Image RAM load address 0x0 is invalid.",
			event{kind: refused, level: 'I', text: "Image RAM load address 0x0 is invalid."},
		},
		{
			"E: Bad image magic 0xffffffff; Image=0",
			event{kind: refused, level: 'E', text: "Bad image magic 0xffffffff; Image=0"},
		},
		{
			"E: ED25519 signature verification failed -149",
			event{kind: refused, level: 'E', text: "ED25519 signature verification failed -149"},
		},
		{
			"W: Cannot upgrade: slots have non-compatible sectors",
			event{kind: refused, level: 'W', text: "Cannot upgrade: slots have non-compatible sectors"},
		},
		{"E: Unable to find bootable image", event{kind: refused, level: 'E', text: "Unable to find bootable image"}},
		{
			"I: Bootloader chainload address offset: 0x8000",
			event{level: 'I', text: "Bootloader chainload address offset: 0x8000"},
		},
		{
			"I: Jumping to the first image slot",
			event{kind: application, level: 'I', text: "Jumping to the first image slot"},
		},
		{
			"*** Booting Zephyr OS build v4.4.0 ***",
			event{kind: application, text: "*** Booting Zephyr OS build v4.4.0 ***"},
		},
		{
			"[00:00:00.010,986] \x1b[1;31m<err> mcuboot: Image in the primary slot is not valid!\x1b[0m\r\n",
			event{kind: refused, level: 'E', text: "Image in the primary slot is not valid!"},
		},
		{
			"[00:00:27.315,118] \x1b[0m<inf> mcuboot_util: Image index: 0, Swap type: test\x1b[0m",
			event{kind: swapType, level: 'I', text: "Image index: 0, Swap type: test", swap: "test", application: true},
		},
		{
			"[esp32c3] [ERR] Image in the primary slot is not valid!",
			event{kind: refused, level: 'E', text: "Image in the primary slot is not valid!"},
		},
		{"E: something new", event{level: 'E', text: "something new"}},
		{"uart:~$ \x1b[2J\x07\x1b]0;title\x07\xff", event{text: "uart:~$ ]0;title"}},
		{"", event{}},
	}
	for _, tt := range tests {
		if got := parse(tt.line); got != tt.want {
			t.Errorf("parse(%q) = %+v, want %+v", tt.line, got, tt.want)
		}
	}
}
