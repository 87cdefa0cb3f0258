package trace

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestSlowFile: whoever writes faster than the file takes it waits, and nothing is lost.
func TestSlowFile(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	const count = 3000 // 500 KiB: more than a pipe and the queue hold
	f := newFile(writer)
	longest := 0
	var work sync.WaitGroup
	work.Go(func() {
		for i := range count {
			if _, err := fmt.Fprintf(f, "%d.000000 < text \"%d\"\n", i, i); err != nil {
				t.Error(err)
			}
			f.mu.Lock()
			longest = max(longest, len(f.queue))
			f.mu.Unlock()
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	rows := 0
	for s := bufio.NewScanner(reader); s.Scan(); rows++ {
		if want := fmt.Sprintf("%10d.000000", rows); !strings.Contains(s.Text(), want[7:]) {
			t.Fatalf("row %d is %q", rows, s.Text())
		}
	}
	work.Wait()
	if rows != count || longest > mostQueued {
		t.Errorf("%d rows, want %d; up to %d lines in the queue, want at most %d", rows, count, longest, mostQueued)
	}
}

// TestLostFile: a file that cannot be written ends a trace, not the writer, and Close says why.
func TestLostFile(t *testing.T) {
	f, err := Create(filepath.Join(t.TempDir(), "trace"))
	if err != nil {
		t.Fatal(err)
	}
	f.file.Close()
	for range 10 * mostQueued { // sooner or later it knows; until then it must not block
		if _, err = f.Write([]byte("# smp trace\n")); err != nil {
			break
		}
	}
	if err := f.Close(); !errors.Is(err, os.ErrClosed) || !strings.HasPrefix(err.Error(), "trace: write ") {
		t.Errorf("Close of a file that could not be written: %v", err)
	}
	if _, err := f.Write([]byte("# smp trace\n")); err == nil {
		t.Error("Write after Close: no error")
	}
}

func TestNoFile(t *testing.T) {
	_, err := Create(filepath.Join(t.TempDir(), "nowhere", "trace"))
	if !errors.Is(err, os.ErrNotExist) || !strings.HasPrefix(err.Error(), "trace: open ") {
		t.Errorf("Create in a folder that is not there: %v", err)
	}
}
