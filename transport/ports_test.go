package transport_test

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/smpctl/smpctl/transport"
)

func TestCompareNames(t *testing.T) {
	want := []string{"/dev/ttyACM0", "/dev/ttyACM2", "/dev/ttyACM10", "/dev/ttyUSB1", "COM3", "COM22"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, transport.CompareNames)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestClean(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"plain", "Zephyr CDC ACM", "Zephyr CDC ACM"},
		{"spaces around", "  board \n", "board"},
		{"colour sequence", "\x1b[31mred", "?[31mred"},
		{"newline inside", "a\nb\x00c", "a?b?c"},
		{"control characters beyond ASCII", "a\u0085b\u009bc", "a?b?c"},
		{"direction override", "a\u202eb", "a?b"},
		{"broken UTF-8", "a\xffb", "a\ufffdb"},
		{"other scripts", "Gerät 基板", "Gerät 基板"},
		{"too long", strings.Repeat("x", 500), strings.Repeat("x", 126)},
	}
	for _, test := range tests {
		if got := transport.Clean(test.text); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestPortsListsWithoutError(t *testing.T) {
	ports, err := transport.Ports()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range ports {
		if p.Name == "" || !p.USB && (p.VID != 0 || p.Location != "") {
			t.Errorf("port %+v", p)
		}
	}
}

// A busy port stays a busy port when the caller's time ends at the very moment of a retry.
func TestRetryOpenKeepsTheCause(t *testing.T) {
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			_, err := transport.RetryOpen(ctx, func() (string, error) { return "", transport.ErrBusy },
				func(error) bool { return true })
			if err != transport.ErrBusy { // and not a word of the time
				t.Errorf("RetryOpen = %v, want %v", err, transport.ErrBusy)
			}
		})
	}
}

// TestRetryOpenLimits waits for what may pass for as long as that takes as a rule, and for nothing else.
func TestRetryOpenLimits(t *testing.T) {
	for _, tt := range []struct {
		name   string
		err    error
		passes func(error) bool
		want   time.Duration
	}{
		{"busy", transport.ErrBusy, func(error) bool { return true }, 3 * time.Second},
		{"no permission yet", fs.ErrPermission, func(error) bool { return true }, 2 * time.Second},
		{"busy, and nobody wants to wait", transport.ErrBusy, func(error) bool { return false }, 0},
		{"not there", fs.ErrNotExist, func(err error) bool { return errors.Is(err, transport.ErrBusy) }, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				_, err := transport.RetryOpen(t.Context(), func() (string, error) { return "", tt.err }, tt.passes)
				if took := time.Since(start); took != tt.want || !errors.Is(err, tt.err) {
					t.Errorf("got %v after %v, want %v after %v", err, took, tt.err, tt.want)
				}
			})
		})
	}
}
