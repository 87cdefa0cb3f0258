package human

import (
	"testing"
	"time"
)

func TestNumbers(t *testing.T) {
	tests := []struct{ got, want string }{
		{Size(9999), "9999 bytes"},
		{Size(25_238), "25.2 kB"},
		{Size(12_345_678), "12.3 MB"},
		{Part(0, 25_238), " 0.0 of 25.2 kB"},
		{Part(25_238, 25_238), "25.2 of 25.2 kB"},
		{Part(384, 9999), " 384 of 9999 bytes"},
		{Part(99_999, 12_345_678), " 0.1 of 12.3 MB"},
		{Flash(262_144), "256 KiB"},
		{Flash(1 << 20), "1 MiB"},
		{Flash(1<<20 + 4096), "1028 KiB"},
		{Flash(1000), "1000 bytes"},
		{Flash(0), "0 bytes"},
		{Flash(1 << 62), "4398046511104 MiB"},
		{Rate(7600, time.Second), "7.6 kB/s"},
		{Rate(3_000_000, 2*time.Second), "1.5 MB/s"},
		{Rate(1, 0), ""},
		{Span(5100 * time.Microsecond), "5.1 ms"},
		{Span(300 * time.Millisecond), "300 ms"},
		{Span(4100 * time.Millisecond), "4.1 s"},
		{Span(65 * time.Second), "1 min 5 s"},
		{Span(2 * time.Hour), "2 h 0 min"},
		{About(400 * time.Millisecond), "0 s"},
		{About(2900 * time.Millisecond), "3 s"},
		{About(59_600 * time.Millisecond), "1 min 0 s"},
		{About(3*time.Hour + 25*time.Minute), "3 h 25 min"},
		{Count(1, "request"), "1 request"},
		{Count(2, "request"), "2 requests"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}
