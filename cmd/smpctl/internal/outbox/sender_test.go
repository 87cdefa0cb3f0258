package outbox

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
)

// once sends, and wants a number of lines and an error that holds a text; empty: none.
func once(t *testing.T, s *Sender, want int, text string) {
	t.Helper()
	got, err := s.Once(t.Context())
	if got != want || (err == nil) != (text == "") || err != nil && !strings.Contains(err.Error(), text) {
		t.Fatalf("Once = %d, %v, want %d and %q", got, err, want, text)
	}
}

func TestLinesArriveAsTheyAreAndOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		fill(t, dir, "line2-a", 1200)
		s := serve(t, nil)
		once(t, s.open(t, dir), 1200, "")
		once(t, s.open(t, dir), 0, "")
		got := s.took()
		if len(got) != 3 { // 500, 500 and 200 lines
			t.Errorf("%d requests, want 3", len(got))
		}
		if strings.Join(got, "") != content(t, dir) {
			t.Error("what arrived is not the journal")
		}
	})
}

func TestStationWritesMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		j, err := journal.Open(dir, journal.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		s := serve(t, nil)
		ctx, stop := context.WithCancelCause(t.Context())
		done := make(chan error)
		sender := s.open(t, dir)
		go func() { done <- sender.Run(ctx) }()
		for range 3 {
			if _, err := j.Begin(journal.Record{}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		stop(failure.ErrInterrupted)
		if err := <-done; !errors.Is(err, failure.ErrInterrupted) {
			t.Errorf("Run = %v, want interrupted", err)
		}
		if got := s.took(); len(got) != 3 || strings.Join(got, "") != content(t, dir) {
			t.Errorf("%d requests, want 3 with the whole journal", len(got))
		}
	})
}

func TestOfflineForDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		turns(t, dir, 2)
		s := serve(t, nil)
		s.set(true)
		var said error
		s.options.Failed = func(err error, _ time.Duration) { said = err }
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		sender := s.open(t, dir)
		go func() { done <- sender.Run(ctx) }()
		written := time.Now()
		time.Sleep(72 * time.Hour)
		synctest.Wait()
		if n, since := sender.Unsent(); n != 4 || !since.Equal(written) {
			t.Errorf("Unsent = %d since %v, want 4 since %v", n, since, written)
		}
		if want := "https://example.com/v1/records: connection refused"; said == nil || said.Error() != want {
			t.Errorf("said %v, want %s", said, want)
		}
		s.set(false)
		tries := s.tried()
		time.Sleep(longestWait)
		synctest.Wait()
		if n, since := sender.Unsent(); n != 0 || !since.IsZero() {
			t.Errorf("Unsent = %d since %v five minutes after the server was back, want none", n, since)
		}
		if tries < 72*12 || tries > 72*12+20 {
			t.Errorf("%d tries in three days, want one in five minutes", tries)
		}
		stop()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run = %v, want canceled", err)
		}
		if strings.Join(s.took(), "") != content(t, dir) {
			t.Error("what arrived is not the journal")
		}
	})
}

func TestGivesUpAfterFourTries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		turns(t, dir, 1)
		s := serve(t, nil)
		s.set(true)
		began := time.Now()
		once(t, s.open(t, dir), 0, "https://example.com/v1/records: connection refused")
		if took := time.Since(began); s.tried() != 4 || took != 7*time.Second {
			t.Errorf("%d tries in %v, want 4 in 7 s", s.tried(), took)
		}
	})
}

func TestAnswersAreLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		turns(t, dir, 20)
		requests := 0
		s := serve(t, func(http.ResponseWriter, *http.Request) {
			if requests++; requests%3 != 0 {
				panic(http.ErrAbortHandler) // it has the lines
			}
		})
		once(t, s.open(t, dir), 40, "")
		seen := map[string]bool{}
		var lines strings.Builder
		for line := range strings.Lines(strings.Join(s.took(), "")) {
			if !seen[line] {
				lines.WriteString(line)
			}
			seen[line] = true
		}
		if lines.String() != content(t, dir) {
			t.Error("what arrived is not the journal")
		}
	})
}

func TestHalfALineIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		turns(t, dir, 2)
		names, _ := filepath.Glob(filepath.Join(dir, "*.jsonl"))
		whole := content(t, dir)
		write(t, names[0], whole[:len(whole)-1])
		s := serve(t, nil)
		sender := s.open(t, dir)
		once(t, sender, 3, "")
		if n, _ := sender.Unsent(); n != 0 {
			t.Errorf("%d unsent, want none: half a line is none", n)
		}
		write(t, names[0], whole)
		if n, _ := sender.Unsent(); n != 1 {
			t.Errorf("%d unsent, want 1", n)
		}
		once(t, sender, 1, "")
		if strings.Join(s.took(), "") != whole {
			t.Error("what arrived is not the journal")
		}
	})
}

func TestLinesBeforeADamagedOneAreSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		turns(t, dir, 3)
		names, _ := filepath.Glob(filepath.Join(dir, "*.jsonl"))
		lines := strings.SplitAfter(content(t, dir), "\n")
		write(t, names[0], strings.Join(append(lines[:4:4], "half\n", lines[5]), ""))
		s := serve(t, nil)
		once(t, s.open(t, dir), 4, "is no record")
		if strings.Join(s.took(), "") != strings.Join(lines[:4], "") {
			t.Error("what arrived is not what stands before the damage")
		}
	})
}

func TestCertificateIsNotTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		turns(t, dir, 1)
		s := serve(t, nil)
		s.options.CAFile = ""
		once(t, s.open(t, dir), 0, "https://example.com/v1/records: tls: failed to verify certificate")
		if s.tried() != 1 {
			t.Errorf("%d tries, want 1", s.tried())
		}
	})
}

func TestJournalIsNotTheOneThatWasSent(t *testing.T) {
	const gone = "line 4, which was sent, is not there any more"
	for name, c := range map[string]struct {
		change func(lines []string) []string
		want   string
	}{
		"another journal": {func(lines []string) []string {
			return []string{strings.Replace(lines[0], "line2-a", "line2-b", 1), lines[1], lines[2], lines[3]}
		}, ""}, // lines before the cursor are the business of records verify
		"the line that was sent last": {func(lines []string) []string {
			return append(lines[:3], strings.Replace(lines[3], "line2-a", "line2-b", 1))
		}, "line 4 is another one than was sent"},
		"an older copy":        {func(lines []string) []string { return lines[:2] }, gone},
		"just the line before": {func(lines []string) []string { return lines[:3] }, gone},
		"nothing":              {func([]string) []string { return nil }, gone},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir := t.TempDir()
				turns(t, dir, 2)
				s := serve(t, nil)
				once(t, s.open(t, dir), 4, "")
				names, _ := filepath.Glob(filepath.Join(dir, "*.jsonl"))
				write(t, names[0], strings.Join(c.change(strings.SplitAfter(content(t, dir), "\n")[:4]), ""))
				once(t, s.open(t, dir), 0, c.want)
				if len(s.took()) != 1 {
					t.Error("it sent something")
				}
			})
		})
	}
}

func TestMonthIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		turns(t, dir, 1)
		s := serve(t, nil)
		once(t, s.open(t, dir), 2, "")
		names, _ := filepath.Glob(filepath.Join(dir, "*.jsonl"))
		if err := os.Remove(names[0]); err != nil {
			t.Fatal(err)
		}
		once(t, s.open(t, dir), 0, "line 2, which was sent, is not there any more")
	})
}

func TestLineThatIsRefusedIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		turns(t, dir, 20)
		var s *server
		s = serve(t, func(w http.ResponseWriter, _ *http.Request) {
			if got := s.took(); strings.Contains(got[len(got)-1], `"seq":31,`) {
				http.Error(w, "line 31 is odd", http.StatusUnprocessableEntity)
			}
		})
		sender := s.open(t, dir)
		once(t, sender, 30, "https://example.com/v1/records does not take line 31: the server says "+
			"422 Unprocessable Entity: line 31 is odd")
		if n, _ := sender.Unsent(); n != 10 {
			t.Errorf("%d unsent, want 10", n)
		}
	})
}

func TestCursorIsDamaged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		turns(t, dir, 1)
		s := serve(t, nil)
		once(t, s.open(t, dir), 2, "")
		write(t, filepath.Join(dir, s.open(t, dir).target.cursorName()), `{"v":1,"seq":5`)
		_, err := Open(dir, target443, s.options)
		if err == nil || !strings.Contains(err.Error(), "does not say what was sent last") {
			t.Errorf("Open = %v, want what is wrong", err)
		}
	})
}

func TestTargetsHaveCursorsOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		turns(t, dir, 1)
		s := serve(t, nil)
		once(t, s.open(t, dir), 2, "")
		other, err := Open(dir, "https://example.com/other", s.options)
		if err != nil {
			t.Fatal(err)
		}
		once(t, other, 2, "")
		once(t, s.open(t, dir), 0, "")
	})
}

func TestMonthAfterMonth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s := serve(t, nil)
		sender := s.open(t, dir)
		for range 3 {
			turns(t, dir, 2)
			if n, _ := sender.Unsent(); n != 4 {
				t.Errorf("%d unsent, want 4", n)
			}
			once(t, sender, 4, "")
			time.Sleep(31 * 24 * time.Hour)
		}
		if names, _ := filepath.Glob(filepath.Join(dir, "*.jsonl")); len(names) != 3 {
			t.Errorf("%d files, want 3", len(names))
		}
		if strings.Join(s.took(), "") != content(t, dir) {
			t.Error("what arrived is not the journal")
		}
	})
}
