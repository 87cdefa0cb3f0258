package outbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
)

// TestPostgresAnswersQuestions asks what docs/records.sql asks, at noon of a day with 200 boards at each of two stations.
func TestPostgresAnswersQuestions(t *testing.T) {
	d := postgresServer(t).withSchema(t)
	for _, station := range []string{"line2-a", "line2-b"} {
		dir := t.TempDir()
		fill(t, dir, station, 800)
		once(t, d.open(t, dir, d.local(), Options{}), 800, "")
	}
	conn{d.admin}.run(t, `UPDATE smpctl.records SET taken = '2026-11-02 10:00Z' WHERE station = 'line2-b'`)
	const failed = "|anna|2.0.0|HASH|fail|no-reply|upload: no reply\ufffd\n"
	want := []string{
		`2026-11-02 06:00:00+00|line2-a|360|345|95.8
2026-11-02 06:00:00+00|line2-b|360|345|95.8
2026-11-02 07:00:00+00|line2-a|40|39|97.5
2026-11-02 07:00:00+00|line2-b|40|39|97.5
`,
		"no-reply|32|2|2026-11-02 07:03:40+00\n",
		strings.ReplaceAll("2026-11-02 06:01:10+00|line2-a"+failed+"2026-11-02 06:01:10+00|line2-b"+failed, "HASH",
			strings.Repeat("ab", 32)),
		"",
		"",
		"line2-b|800|2026-11-02 07:06:30+00|2026-11-02 10:00:00+00|02:53:30|02:00:00\n",
	}
	conn{d.admin}.run(t, "SET timezone = 'UTC'")
	questions := readQuestions(t)
	if len(questions) != len(want) {
		t.Fatalf("%d questions, want %d", len(questions), len(want))
	}
	for i, q := range questions {
		if got := d.rows(t, strings.ReplaceAll(q, "now()", "timestamptz '2026-11-02 12:00Z'")); got != want[i] {
			t.Errorf("%s\ngives\n%s\nwant\n%s", q, got, want[i])
		}
	}
}

func readQuestions(t *testing.T) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "docs", "records.sql"))
	if err != nil {
		t.Fatal(err)
	}
	questions := strings.Split(strings.TrimSpace(string(data)), ";\n")
	questions[len(questions)-1] = strings.TrimSuffix(questions[len(questions)-1], ";")
	return questions
}

// TestPostgresKnowsWhatBecameOfBoards sees that what a person found out counts, and that what only began is unknown.
func TestPostgresKnowsWhatBecameOfBoards(t *testing.T) {
	d := postgresServer(t).withSchema(t)
	dir := t.TempDir()
	j, err := journal.Open(dir, journal.Options{Station: journal.Station{Name: "line2-a"}})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	begin := func(name string) string {
		id, err := j.Begin(journal.Record{Board: journal.Board{ID: name}})
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	begin("only begun")
	if err := j.End(begin("failed"), journal.Record{Result: journal.Fail, Kind: "port", Message: "gone"}); err != nil {
		t.Fatal(err)
	}
	twice := begin("resolved")
	if err := j.End(twice, journal.Record{Result: journal.Unknown}); err != nil {
		t.Fatal(err)
	}
	for _, result := range []journal.Result{journal.Fail, journal.Pass} {
		if err := j.Resolve(twice, journal.Record{Result: result, Message: "looked: " + string(result)}); err != nil {
			t.Fatal(err)
		}
	}
	once(t, d.open(t, dir, d.local(), Options{}), 7, "")
	want := "failed|fail|port|gone\nonly begun|unknown||\nresolved|pass||looked: pass\n"
	if got := d.rows(t, "SELECT board_id, result, kind, message FROM smpctl.turns ORDER BY board_id"); got != want {
		t.Errorf("turns:\n%swant:\n%s", got, want)
	}
}
