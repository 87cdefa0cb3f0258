//go:build linux || darwin

package journal_test

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
)

// childEnv makes another process of the test binary: what it does, and in which folder.
const childEnv = "SMPCTL_TEST_JOURNAL"

func TestMain(m *testing.M) {
	what, dir, _ := strings.Cut(os.Getenv(childEnv), " ")
	switch what {
	case "append":
		appendForever(dir)
	case "fill":
		fullDisk(dir)
	case "":
		os.Exit(m.Run())
	default:
		panic("no such child: " + what)
	}
}

// child runs the test binary as another process.
func child(t *testing.T, what, dir string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0])
	c.Env = append(os.Environ(), childEnv+"="+what+" "+dir)
	c.Stderr = os.Stderr
	return c
}

// appendForever has eight boards begin and end, and says of each line that it is on the disk once it is said to be.
func appendForever(dir string) {
	j, err := journal.Open(dir, journal.Options{Key: testKey})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	message := strings.Repeat("long enough to cross a page ", 100)
	for range 8 {
		go func() {
			for {
				id, err := j.Begin(journal.Record{Message: message})
				if err != nil {
					fmt.Println("error", err)
					os.Exit(1)
				}
				os.Stdout.WriteString("begin " + id + "\n")
				if err := j.End(id, journal.Record{Result: journal.Pass, Message: message}); err != nil {
					fmt.Println("error", err)
					os.Exit(1)
				}
				os.Stdout.WriteString("end " + id + "\n")
			}
		}()
	}
	time.Sleep(time.Minute) // it is killed long before
}

// TestKilled kills a process that writes, at random moments: nothing that was said to be on the disk is lost, and the
// journal goes on.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	said := map[string]bool{}
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for start := time.Now(); len(said) < 20 || time.Since(start) < 2*time.Second; {
		if time.Since(start) > time.Minute {
			t.Fatalf("only %d lines in a minute", len(said))
		}
		c := child(t, "append", dir)
		out, err := c.StdoutPipe()
		if err == nil {
			err = c.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		lines := r.IntN(60)
		for s := bufio.NewScanner(out); s.Scan(); lines-- {
			if strings.HasPrefix(s.Text(), "error") {
				t.Errorf("seed %d: %s", seed, s.Text())
			}
			said[s.Text()] = true
			if lines == 0 {
				time.AfterFunc(time.Duration(r.IntN(3000))*time.Microsecond, func() { _ = c.Process.Kill() })
			}
		}
		_ = c.Wait()
	}
	open(t, dir, journal.Options{Key: testKey}).Close()
	if v := verify(t, dir, journal.VerifyOptions{}); !v.Whole() || v.Signed != v.Seq {
		t.Errorf("seed %d: %+v", seed, v)
	}
	for _, r := range all(t, dir) {
		delete(said, string(r.Event)+" "+r.ID)
	}
	if len(said) > 0 {
		t.Errorf("seed %d: %d lines are lost that were said to be on the disk", seed, len(said))
	}
}

// fullDisk writes until a limit comes in the middle of a line, and goes on when there is room again.
func fullDisk(dir string) {
	signal.Ignore(syscall.SIGXFSZ)
	check := func(what string, failed bool, err error) {
		if (err != nil) != failed {
			fmt.Printf("%s: %v\n", what, err)
		}
	}
	limit := func(n uint64) {
		var l syscall.Rlimit
		err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &l)
		l.Cur = min(n, l.Max)
		check("limit", false, errors.Join(err, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &l)))
	}
	j, err := journal.Open(dir, journal.Options{Key: testKey, Now: at("2026-11-02T07:00:00Z")})
	check("open", false, err)
	id, err := j.Begin(journal.Record{})
	check("begin", false, err)
	info, err := os.Stat(filepath.Join(dir, "2026-11.jsonl"))
	check("file", false, err)
	limit(uint64(info.Size()) + 100)
	_, err = j.Begin(journal.Record{})
	check("begin on a full disk", true, err)
	fmt.Println("said:", err)
	check("end on a full disk", true, j.End(id, journal.Record{Result: journal.Pass}))
	limit(1 << 40)
	check("end", false, j.End(id, journal.Record{Result: journal.Pass}))
	check("close", false, j.Close())
}

// TestFullDisk has no room for a whole line.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	out, err := child(t, "fill", dir).Output()
	said := "said: " + filepath.Join(dir, "2026-11.jsonl") + ": file too large\n"
	if err != nil || string(out) != said {
		t.Errorf("%v, %q, want %q", err, out, said)
	}
	if v := verify(t, dir, journal.VerifyOptions{}); !v.Whole() || v.Lines != 3 {
		t.Errorf("%+v, want a begin, its end and a head", v)
	}
}

// TestFolderThatCannotBeWritten fails before any board is touched.
func TestFolderThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	paths := map[string]string{"a file": filepath.Join(dir, "file"), "below a file": filepath.Join(dir, "file", "records")}
	if os.Geteuid() != 0 { // root may write anywhere
		sealed := filepath.Join(dir, "sealed")
		if err := os.Mkdir(sealed, 0o500); err != nil {
			t.Fatal(err)
		}
		paths["sealed"], paths["below sealed"] = sealed, filepath.Join(sealed, "records")
	}
	for name, path := range paths {
		if j, err := journal.Open(path, journal.Options{}); err == nil {
			t.Errorf("%s: opened", name)
			j.Close()
		}
	}
}
