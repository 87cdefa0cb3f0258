//go:build unix

package smp_test

import (
	"sync"
	"syscall"
	"testing"
	"time"
)

// BenchmarkUploadEight uploads to eight devices at once, in one process with the devices, and reports the share that
// the slowest got of its wire, and how many processor cores it all took.
func BenchmarkUploadEight(b *testing.B) {
	const baud, buffer = 115200, 384
	img := imageOf(b, baud/4)
	var slowest, all time.Duration
	before := processorTime(b)
	for b.Loop() {
		var group sync.WaitGroup
		var took [8]time.Duration
		start := time.Now()
		for i := range took {
			group.Go(func() { took[i] = uploadWire(b, img, baud, buffer, 0) })
		}
		group.Wait()
		all += time.Since(start)
		for _, d := range took {
			slowest = max(slowest, d)
		}
	}
	reportWire(b, img, slowest, baud, buffer)
	b.ReportMetric((processorTime(b)-before).Seconds()/all.Seconds(), "cores")
}

func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
