package trace_test

import (
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/trace"
)

func TestWords(t *testing.T) {
	tests := []struct{ packet, want string }{
		{"\x0b\x00\x00\x01\x00\x01\x07\x00\xa0", "write response: image state, sequence 7, version 2, 1 bytes {}"},
		{"\x0b\x00\x00\x02\x00\x01\x07\x00\xa1\xff", "write response: image state, sequence 7, version 2, 2 bytes"},
		{"\x01\x00\x00\x00\x00\x3f\x00\x00", "read response: zephyr erase storage, sequence 0, version 1, 0 bytes"},
		{"\x0a\x00\x00\x00\x00\x40\xff\x09", "write: group 64 command 9, sequence 255, version 2, 0 bytes"},
		{"\x0a\x00", "packet of 2 bytes is shorter than a header"},
	}
	for _, tt := range tests {
		if got := trace.Words([]byte(tt.packet)); got != tt.want {
			t.Errorf("Words(%x) = %q, want %q", tt.packet, got, tt.want)
		}
	}
}
