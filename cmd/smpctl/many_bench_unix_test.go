//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/bus"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/smpctl/smpctl/smp/fleet"
	"github.com/smpctl/smpctl/transport"
)

const (
	manyBoards = 64
	manyBaud   = 115200
	manyBuffer = 384 // bytes of a packet buffer
)

// BenchmarkMany upgrades 64 boards at 115200 baud at once, which another process serves, and reports the share that the
// slowest got of its wire in its upload, the processor cores that this process took, and its largest memory. A share is
// that of BenchmarkUploadWire of package smp: 1 is the best packet that fits the buffer, one after the other without a
// pause. For numbers that mean something nothing else may run, or chrt -r 1 comes first on Linux:
//
//	go test ./cmd/smpctl -run '^$' -bench Many -benchtime 1x
func BenchmarkMany(b *testing.B) {
	img := imageOf(b, manyBaud*3/4) // some ten seconds
	for _, way := range []struct {
		name    string
		upgrade func(b *testing.B, dir string, img *image.Image, faulty bool) (slowest time.Duration, took used)
	}{{"library", byLibrary}, {"program", byProgram}} {
		for _, faulty := range []bool{false, true} {
			name := way.name
			if faulty {
				name += "/8-faulty"
			}
			b.Run(name, func(b *testing.B) {
				for b.Loop() {
					dir := serveMany(b, faulty)
					start := time.Now()
					slowest, took := way.upgrade(b, dir, img, faulty)
					reportMany(b, img, slowest, time.Since(start), took)
				}
			})
		}
	}
}

// byLibrary upgrades the boards in this process, and byProgram with one of smpctl. Both give the time of the longest
// upload among the boards without faults.
func byLibrary(b *testing.B, dir string, img *image.Image, faulty bool) (slowest time.Duration, took used) {
	before := usage(b)
	slowest = upgradeMany(b, dir, img, faulty)
	after := usage(b)
	return slowest, used{after.cpu - before.cpu, after.memory}
}

func byProgram(b *testing.B, dir string, img *image.Image, faulty bool) (slowest time.Duration, took used) {
	path := filepath.Join(b.TempDir(), "app.bin")
	if err := os.WriteFile(path, img.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command("smpctl", "--json", "-p", "usb:2fe3:0004", "upgrade", "--all", "--expect", fmt.Sprint(manyBoards),
		"--wait", "20", path)
	cmd.Env = append(os.Environ(), "SMPCTL_BUS="+dir)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		b.Fatal(err)
	}
	var all struct {
		Boards []struct {
			Board  string
			Error  struct{ Kind string }
			Result struct {
				Steps []struct {
					Step    string
					Seconds float64
				}
			}
		}
	}
	if err := json.Unmarshal(out, &all); err != nil || len(all.Boards) != manyBoards {
		b.Fatalf("%d boards, %v\n%s", len(all.Boards), err, exit.Stderr)
	}
	for _, board := range all.Boards {
		checkKind(b, board.Board, board.Error.Kind, faulty)
		for _, s := range board.Result.Steps {
			if s.Step == "upload" && wrongWith(board.Board, faulty) == "" {
				slowest = max(slowest, time.Duration(s.Seconds*float64(time.Second)))
			}
		}
	}
	return slowest, usedBy(*cmd.ProcessState.SysUsage().(*syscall.Rusage))
}

// wrongWith is the kind of failure that a board comes to; empty for none.
func wrongWith(board string, faulty bool) string {
	if !faulty {
		return ""
	}
	return faultOf(board).kind
}

func checkKind(b *testing.B, board, kind string, faulty bool) {
	b.Helper()
	if want := wrongWith(board, faulty); kind != want {
		b.Errorf("%s: %q, want %q", board, kind, want)
	}
}

// serveMany serves the boards in another process until the benchmark ends, and returns the folder of their bus.
func serveMany(b *testing.B, faulty bool) string {
	dir := b.TempDir()
	cmd := exec.Command("smpctl", "sim", "--boards", fmt.Sprint(manyBoards), "--bus", dir,
		"--baud", fmt.Sprint(manyBaud))
	if faulty {
		cmd = exec.Command("faultyboards", dir)
	}
	cmd.Stdout = io.Discard
	news, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGINT)
		_ = cmd.Wait()
		u := cmd.ProcessState.SysUsage().(*syscall.Rusage)
		b.Logf("the boards took %v", time.Duration(u.Utime.Nano()+u.Stime.Nano()))
	})
	if _, err := bufio.NewReader(news).ReadString('\n'); err != nil {
		b.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, news) }()
	return dir
}

// upgradeMany upgrades all boards and returns the time of the longest upload.
func upgradeMany(b *testing.B, dir string, img *image.Image, faulty bool) (slowest time.Duration) {
	ports := bus.OfFolder(dir)
	var boards []fleet.Target
	present, err := ports.Ports()
	if err != nil || len(present) != manyBoards {
		b.Fatalf("%d boards, %v", len(present), err)
	}
	var mu sync.Mutex
	for _, p := range present {
		address := transport.Address{Kind: transport.KindUSB, Serial: p.Serial, Interface: transport.AnyInterface}
		dial := func(ctx context.Context) (*smp.Client, error) {
			conn, err := ports.Open(ctx, address, transport.Options{Baud: manyBaud})
			if err != nil {
				return nil, err
			}
			return smp.NewClient(conn, smp.Options{}), nil
		}
		boards = append(boards, fleet.Target{Board: fleet.Board{Name: p.Serial}, Dial: dial,
			OnEvent: func(e dfu.Event) {
				if e.Step.Action == dfu.Upload && e.Step.Took > 0 && wrongWith(p.Serial, faulty) == "" {
					mu.Lock()
					defer mu.Unlock()
					slowest = max(slowest, e.Step.Took)
				}
			}})
	}
	images, wait := []dfu.Target{{File: img}}, dfu.Options{Wait: 20 * time.Second}
	for _, r := range fleet.Upgrade(b.Context(), boards, images, wait, fleet.Options{}) {
		kind := ""
		if r.Err != nil {
			kind = failure.KindOf(b.Context(), r.Err).Name
		}
		checkKind(b, r.Board.Name, kind, faulty)
	}
	return slowest
}

// reportMany reports what the slowest upload and all boards together took.
func reportMany(b *testing.B, img *image.Image, slowest, all time.Duration, took used) {
	const overhead = 4 + smp.HeaderLen + 16 // framing in the buffer, SMP header, CBOR of a later chunk below 64 KiB
	frame := time.Duration(transport.FrameLen(manyBuffer-4, 0)) * 10 * time.Second / manyBaud
	limit := float64(manyBuffer-overhead) / frame.Seconds()
	b.ReportMetric(float64(len(img.Bytes()))/slowest.Seconds()/limit, "of-wire")
	b.ReportMetric(took.cpu.Seconds()/all.Seconds(), "cores")
	b.ReportMetric(float64(took.memory)/1e6, "MB")
	b.ReportMetric(all.Seconds(), "s")
	b.ReportMetric(0, "ns/op")
}

// used is what a process took of the machine.
type used struct {
	cpu    time.Duration
	memory int64 // bytes, at most
}

// usage is that of this process.
func usage(b *testing.B) used {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return usedBy(u)
}

func usedBy(u syscall.Rusage) used {
	memory := int64(u.Maxrss) // kilobytes but on macOS
	if runtime.GOOS != "darwin" {
		memory *= 1024
	}
	return used{time.Duration(u.Utime.Nano() + u.Stime.Nano()), memory}
}

// imageOf is an unsigned image of some size.
func imageOf(b testing.TB, size int) *image.Image {
	data := image.Header{HeaderSize: 32, ImageSize: uint32(size), Version: image.Version{Major: 2}}.Append(nil)
	data = append(data, bytes.Repeat([]byte("firmware"), size/8)...)
	sum := sha256.Sum256(data)
	data = binary.LittleEndian.AppendUint16(data, 0x6907)
	data = binary.LittleEndian.AppendUint16(data, 4+4+sha256.Size)
	data = binary.LittleEndian.AppendUint16(data, uint16(image.TLVSHA256))
	data = binary.LittleEndian.AppendUint16(data, sha256.Size)
	img, err := image.Parse(append(data, sum[:]...))
	if err != nil {
		b.Fatal(err)
	}
	return img
}
