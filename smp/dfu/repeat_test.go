package dfu_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/smpctl/smpctl/smp/sim"
)

// TestRunLongCheckAfterLostTrial: the first check resets the device, and the next one takes longer than everything that
// begins again may take to wait.
func TestRunLongCheckAfterLostTrial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, dial := board(t, sim.Options{})
		defer d.Close()
		checks := 0
		report, err := dfu.Run(t.Context(), dial, []dfu.Target{{File: load(t, "app-2.0.0.bin")}}, dfu.Options{
			Check: func(context.Context) error {
				if checks++; checks == 1 {
					d.Reset()
				}
				time.Sleep(8 * time.Minute) // fake
				return nil
			}})
		if err != nil || report.Result != dfu.Confirmed || checks != 2 {
			t.Errorf("Run = %s, %v after %d checks", report.Result, err, checks)
		}
	})
}

// TestRunCheckLosesSlot: a direct-XIP bootloader erases what it tried once, so after a check that resets the device the
// image is gone. It was not rejected, for it ran.
func TestRunCheckLosesSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, dial := board(t, sim.Options{Mode: sim.DirectXIPRevert})
		defer d.Close()
		report, err := dfu.Run(t.Context(), dial, []dfu.Target{{File: load(t, "app-2.0.0.bin")}}, dfu.Options{
			Check: func(context.Context) error {
				d.Reset()
				time.Sleep(20 * time.Second) // fake
				return nil
			}})
		var not *dfu.NotRunningError
		if !errors.As(err, &not) || not.Reason != dfu.CheckReset || report.Result != dfu.Reverted {
			t.Errorf("Run = %s, %v, want %s because of the check", report.Result, err, dfu.Reverted)
		}
	})
}

// TestRunUnplugged: the board is unplugged in the middle of an upload, and never comes back, or comes back and says
// nothing. The user has one bound for it.
func TestRunUnplugged(t *testing.T) {
	gone := func(context.Context) (*smp.Client, error) { return nil, fs.ErrNotExist }
	for name, then := range map[string]dfu.Dial{
		"and never back": gone,
		"and back, but mute": func(context.Context) (*smp.Client, error) {
			return smp.NewClient(newOddLink(func(smp.Header, map[string]any) map[string]any { return nil }),
				smp.Options{}), nil
		},
		"and the port opens, and closes at once": func(context.Context) (*smp.Client, error) {
			l := newOddLink(func(smp.Header, map[string]any) map[string]any { return nil })
			l.Close()
			return smp.NewClient(l, smp.Options{}), nil
		},
		"and opening takes an hour": func(ctx context.Context) (*smp.Client, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, first := board(t, sim.Options{})
				defer d.Close()
				var client *smp.Client
				requests := 0
				dial := func(ctx context.Context) (*smp.Client, error) {
					if client != nil {
						return then(ctx)
					}
					var err error
					client, err = first(ctx)
					return client, err
				}
				start := time.Now()
				_, err := dfu.Run(t.Context(), dial, []dfu.Target{{File: load(t, "app-2.0.0.bin")}},
					dfu.Options{Wait: 30 * time.Second,
						OnEvent: func(e dfu.Event) {
							if e.Phase == dfu.Progress {
								if requests++; requests == 3 {
									client.Close()
								}
							}
						}})
				if took := time.Since(start); !errors.Is(err, dfu.ErrNotBack) || took > 35*time.Second {
					t.Errorf("Run = %v after %v, want %v within the wait of 30 s", err, took, dfu.ErrNotBack)
				}
				if name == "and back, but mute" && strings.Contains(err.Error(), "context") {
					t.Errorf("Run = %v, want nothing of our own clock in it", err)
				}
			})
		})
	}
}

// TestRunCheckFailsAndNothingResets: after a failed check the device accepts a reset, and goes on running the new image
// on trial.
func TestRunCheckFailsAndNothingResets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := imageOf(stamp{major: 2, key: "none"})
		d := newStranger(oddity{bootloader: "swaps", claims: "truth", reset: "ignores", before: "trial"}, file)
		report, err := dfu.Run(t.Context(), d.dial, []dfu.Target{{File: file}}, dfu.Options{
			Check: func(context.Context) error { return errDark },
		})
		want := "check failed, and the device does not go back to the old image: the LED is dark"
		if report.Result != dfu.RunningUnconfirmed || err == nil || err.Error() != want {
			t.Errorf("Run = %s, %v, want %s, %s", report.Result, err, dfu.RunningUnconfirmed, want)
		}
		d.settle()
	})
}

// TestRunStoppedInBootloader: Ctrl-C at the moment when the device is met in its bootloader leaves none there.
func TestRunStoppedInBootloader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, dial := board(t, sim.Options{})
		defer d.Close()
		errStop := errors.New("stopped")
		ctx, cancel := context.WithCancelCause(t.Context())
		_, err := dfu.Run(ctx, dial, []dfu.Target{{File: load(t, "app-2.0.0.bin")}}, dfu.Options{
			Check: func(ctx context.Context) error {
				c, err := dial(ctx)
				if err != nil {
					return err
				}
				defer c.Close()
				err = c.OS.Reset(ctx, smp.ResetOptions{BootMode: smp.BootBootloader})
				time.Sleep(10 * time.Second) // fake
				return err
			},
			OnEvent: func(e dfu.Event) {
				if e.Phase == dfu.Note && d.InRecovery() {
					cancel(errStop)
				}
			},
		})
		if !errors.Is(err, errStop) {
			t.Errorf("Run = %v, want %v", err, errStop)
		}
		time.Sleep(20 * time.Second) // fake
		if d.InRecovery() {
			t.Error("the device is left in its bootloader")
		}
	})
}

// TestRunLinkEndsDuringProbe: the link ends while the application is probed. That says nothing of what it hears, so
// after the reset no plain request is sent into the wait window.
func TestRunLinkEndsDuringProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _ := board(t, sim.Options{RecoveryWindow: 3 * time.Second})
		defer d.Close()
		time.Sleep(20 * time.Second) // fake: the window is over
		start, ended := time.Now(), false
		dial := func(context.Context) (*smp.Client, error) {
			l := tamper{Link: d.Link(), done: &ended, hit: func(h smp.Header) bool { return !h.Op.IsRequest() }}
			l.request = func() (bool, error) {
				if ended = time.Since(start) > time.Second; ended { // after those of the first contact
					return false, io.ErrClosedPipe
				}
				return false, nil
			}
			return smp.NewClient(&l, smp.Options{}), nil
		}
		var notes []string
		report, err := dfu.Run(t.Context(), dial, []dfu.Target{{File: load(t, "app-2.0.0.bin")}}, dfu.Options{
			Wait: time.Minute, OnEvent: func(e dfu.Event) {
				if e.Phase == dfu.Note {
					notes = append(notes, e.Text)
				}
			}})
		caught := slices.ContainsFunc(notes, func(s string) bool { return strings.Contains(s, "bootloader") })
		if err != nil || report.Result != dfu.Confirmed || !ended || caught {
			t.Errorf("Run = %s, %v, ended %v; %q", report.Result, err, ended, notes)
		}
	})
}
