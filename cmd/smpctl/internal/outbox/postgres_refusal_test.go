package outbox

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
)

// local is a target that the server's socket leads to.
func (d *database) local() string { return d.url("line2a", d.name) }

// refused sends a journal of so many lines and wants it refused, in words that show no password.
func (d *database) refused(t *testing.T, station string, lines, want int, words ...string) {
	t.Helper()
	dir := t.TempDir()
	fill(t, dir, station, lines)
	sent, err := d.open(t, dir, d.local(), Options{}).Once(t.Context())
	if sent != want || err == nil {
		t.Fatalf("Once = %d, %v, want %d and an error", sent, err, want)
	}
	text := err.Error() + " / " + failure.Hint(failure.KindOf(t.Context(), err), err, failure.Situation{})
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%s: want %q in it", text, word)
		}
	}
	if strings.Contains(text, password) {
		t.Errorf("%s: shows the password", text)
	}
}

func TestPostgresHasTwoStationsOfOneName(t *testing.T) {
	d := postgresServer(t).withSchema(t)
	one, other := t.TempDir(), t.TempDir()
	fill(t, one, "line2-a", 100)
	fill(t, other, "line2-a", 50)
	once(t, d.open(t, one, d.local(), Options{}), 100, "")
	names, _ := filepath.Glob(filepath.Join(other, "*.jsonl"))
	write(t, names[0], strings.ReplaceAll(content(t, other), `"seq":31,`, `"seq":31 ,`)) // another line, as valid
	once(t, d.open(t, other, d.local(), Options{}), 30, "does not take line 31: the database says line 31 of station "+
		"line2-a is there with another content (23505)")
	if got := d.rows(t, "SELECT count(*) FROM smpctl.records"); got != "100\n" {
		t.Errorf("%s rows, want 100", got)
	}
}

func TestPostgresHasTheTurnAlready(t *testing.T) {
	d := postgresServer(t).withSchema(t)
	dir := t.TempDir()
	fill(t, dir, "line2-a", 10)
	once(t, d.open(t, dir, d.local(), Options{}), 10, "")
	names, _ := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	copied := t.TempDir()
	write(t, filepath.Join(copied, filepath.Base(names[0])), strings.ReplaceAll(content(t, dir), "line2-a", "line2-b"))
	once(t, d.open(t, copied, d.local(), Options{}), 0, "does not take line 1: the database says the begin of "+
		turnID("line2-a", 0)+" is there already, in another line than 1 of station line2-b (23505)")
}

func TestPostgresStationsMayOnlyInsert(t *testing.T) {
	d := postgresServer(t).withSchema(t)
	t.Setenv("PGPASSWORD", password)
	c := connect(t, d.local())
	for _, sql := range []string{
		"SELECT * FROM smpctl.records", "SELECT line FROM smpctl.records", "SELECT * FROM smpctl.gaps",
		"SELECT * FROM smpctl.stations", "UPDATE smpctl.records SET line = ''", "DELETE FROM smpctl.records",
		"TRUNCATE smpctl.records", "INSERT INTO smpctl.records (station, line) VALUES ('a', '{}')",
		"INSERT INTO smpctl.records (line) VALUES ('{}') RETURNING line", "DROP TABLE smpctl.records",
		"ALTER TABLE smpctl.records DISABLE TRIGGER take", "CREATE TABLE smpctl.other (a int)",
	} {
		_, err := c.Exec(t.Context(), sql).ReadAll()
		if err == nil || !strings.Contains(err.Error(), "42501") {
			t.Errorf("%s: %v, want no right to it", sql, err)
		}
	}
}

func TestPostgresSaysNo(t *testing.T) {
	d := postgresServer(t)
	admin := conn{d.admin}
	withRole := func() { d.withSchema(t) }
	t.Run("no schema", func(t *testing.T) {
		withRole()
		admin.run(t, "DROP SCHEMA smpctl CASCADE")
		d.refused(t, "line2-a", 10, 0, "does not take lines 1 to 10", "smpctl.records", "(42P01)", "smpctl records schema")
	})
	withRole()
	t.Run("no right", func(t *testing.T) {
		admin.run(t, "REVOKE INSERT (line) ON smpctl.records FROM smpctl_station")
		d.refused(t, "line2-a", 10, 0, "permission denied for table records (42501)", "smpctl_station")
	})
	withRole()
	t.Run("wrong password", func(t *testing.T) {
		admin.run(t, "ALTER ROLE line2a PASSWORD 'another'")
		d.refused(t, "line2-a", 10, 0, `password authentication failed for user "line2a" (28P01)`, "token_file")
	})
	withRole()
	t.Run("no database", func(t *testing.T) {
		admin.run(t, "ALTER ROLE line2a PASSWORD '"+password+"'")
		d := *d
		d.name = "nowhere"
		d.refused(t, "line2-a", 10, 0, `database "nowhere" does not exist (3D000)`)
	})
	t.Run("standby", func(t *testing.T) { // of which nobody is to be told to look
		admin.run(t, "ALTER ROLE line2a SET default_transaction_read_only = on")
		dir := t.TempDir()
		fill(t, dir, "line2-a", 10)
		var said []string
		s := d.open(t, dir, d.local(), Options{Failed: func(err error, _ time.Duration) {
			if said = append(said, err.Error()); len(said) == 2 {
				admin.run(t, "ALTER ROLE line2a RESET default_transaction_read_only")
			}
		}})
		s.target.carrier = forgetful{s.target.carrier.(*postgres)}
		once(t, s, 10, "")
		if len(said) != 2 || !strings.Contains(said[0], "read-only transaction (25006)") {
			t.Errorf("said %q, want twice that it is read-only", said)
		}
	})
}

// forgetful has a connection for each delivery.
type forgetful struct{ *postgres }

func (f forgetful) deliver(ctx context.Context, lines []byte) error {
	defer f.rest()
	return f.postgres.deliver(ctx, lines)
}

func TestPostgresShowsItsCertificate(t *testing.T) {
	d := postgresServer(t).withSchema(t)
	dir := t.TempDir()
	fill(t, dir, "line2-a", 10)
	to := "postgres://line2a@localhost:" + d.port + "/" + d.name + "?sslmode=verify-full"
	once(t, d.open(t, dir, to, Options{}), 0, "certificate")
	once(t, d.open(t, dir, to, Options{CAFile: d.ca}), 10, "")
	to = strings.Replace(to, "localhost", "127.0.0.2", 1)
	once(t, d.open(t, dir, to, Options{CAFile: d.ca}), 0, "connection refused")
}

func TestPostgresIsSilent(t *testing.T) {
	d := postgresServer(t).withSchema(t)
	dir := t.TempDir()
	fill(t, dir, "line2-a", 10)
	conn{d.admin}.run(t, "BEGIN; LOCK TABLE smpctl.records")
	ctx, stop := context.WithTimeoutCause(t.Context(), 300*time.Millisecond, os.ErrDeadlineExceeded)
	defer stop()
	s := d.open(t, dir, d.local(), Options{})
	if sent, err := s.Once(ctx); sent != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Once = %d, %v, want the end of its time", sent, err)
	}
	conn{d.admin}.run(t, "ROLLBACK")
	once(t, s, 10, "")
}

func TestPostgresTakesWhatBoardsSay(t *testing.T) {
	d := postgresServer(t).withSchema(t)
	dir := t.TempDir()
	j, err := journal.Open(dir, journal.Options{}) // of a station without a name
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	long := rand.Text()
	for len(long) < 100_000 {
		long += rand.Text()
	}
	odd := []string{"", long, "\x00 \\u0000 \\\x00\x00", "\xff\xfe", "\U0001f600\u202e\ufffe", `{},"'\n;--`}
	for _, text := range odd {
		board := journal.Board{ID: text, Serial: text, Port: text}
		id, err := j.Begin(journal.Record{Board: board, Operator: text, Fields: map[string]string{text: text}})
		if err != nil {
			t.Fatal(err)
		}
		if err := j.End(id, journal.Record{Result: journal.Fail, Kind: text, Message: text}); err != nil {
			t.Fatal(err)
		}
	}
	once(t, d.open(t, dir, d.local(), Options{}), 12, "")
	if got := d.rows(t, "SELECT line FROM smpctl.records WHERE station = 'line2a' ORDER BY seq"); got != content(t, dir) {
		t.Error("what arrived is not the journal")
	}
	for _, view := range []string{"gaps", "altered"} {
		if got := d.rows(t, "SELECT * FROM smpctl."+view); got != "" {
			t.Errorf("%s:\n%s", view, got)
		}
	}
}

func TestPostgresStationIsRenamed(t *testing.T) {
	d := postgresServer(t).withSchema(t)
	dir := t.TempDir()
	for _, name := range []string{"old", "new", "old"} {
		j, err := journal.Open(dir, journal.Options{Station: journal.Station{Name: name}})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if _, err := j.Begin(journal.Record{}); err != nil {
				t.Fatal(err)
			}
		}
		j.Close()
	}
	lines := strings.Count(content(t, dir), "\n")
	once(t, d.open(t, dir, d.local(), Options{}), lines, "")
	if got := d.rows(t, "SELECT * FROM smpctl.gaps"); got != "" {
		t.Errorf("gaps in a journal that went on under another name:\n%s", got)
	}
	conn{d.admin}.run(t, "DELETE FROM smpctl.records WHERE seq = 4")
	if got := d.rows(t, "SELECT seq FROM smpctl.gaps"); got != "5\n" {
		t.Errorf("gaps at %q, want 5", got)
	}
}
