package outbox

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
)

// password of the role that sends in tests.
const password = "s3cret-of-the-station"

// database is one of a test's own in a real server, with the schema in it, and with what to reach it by.
type database struct {
	socket string // of the server
	port   string
	name   string
	admin  *pgconn.PgConn
	token  string // file with the password of the role
	ca     string // file with the certificate of the server
}

// postgresServer makes a database. The environment names the folder with the server's socket, see .ci/postgres.
func postgresServer(t *testing.T) *database {
	t.Helper()
	dir := os.Getenv("SMPCTL_POSTGRES")
	if dir == "" {
		t.Skip("SMPCTL_POSTGRES names no server: bash .ci/postgres starts one")
	}
	noPostgres(t)
	sockets, _ := filepath.Glob(filepath.Join(dir, ".s.PGSQL.*[0-9]"))
	if len(sockets) != 1 {
		t.Fatalf("%s holds %d sockets, want 1", dir, len(sockets))
	}
	d := &database{socket: sockets[0], port: strings.TrimPrefix(filepath.Ext(sockets[0]), "."),
		name: strings.ToLower(t.Name()), ca: filepath.Join(dir, "server.crt"), token: filepath.Join(t.TempDir(), "token")}
	write(t, d.token, password+"\n")
	connect(t, d.url("postgres", "postgres")).run(t, "CREATE DATABASE "+d.name)
	d.admin = connect(t, d.url("postgres", d.name)).PgConn
	return d
}

// withSchema adds what smpctl's users are told to add.
func (d *database) withSchema(t *testing.T) *database {
	t.Helper()
	d.run(t, Schema)
	d.run(t, Schema) // it may be run again
	d.run(t, `DO $$ BEGIN
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'line2a') THEN
			CREATE ROLE line2a LOGIN PASSWORD '`+password+`' IN ROLE smpctl_station;
		END IF;
	END $$`)
	return d
}

func (d *database) url(user, name string) string {
	return "postgres://" + user + "@/" + name + "?host=" + filepath.Dir(d.socket) + "&port=" + d.port
}

// conn is a connection of a test.
type conn struct{ *pgconn.PgConn }

func connect(t *testing.T, url string) conn {
	t.Helper()
	c, err := pgconn.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	return conn{c}
}

func (d *database) run(t *testing.T, sql string) { t.Helper(); conn{d.admin}.run(t, sql) }

func (d *database) rows(t *testing.T, sql string) string {
	t.Helper()
	return conn{d.admin}.rows(t, sql)
}

func (c conn) run(t *testing.T, sql string) {
	t.Helper()
	if _, err := c.Exec(t.Context(), sql).ReadAll(); err != nil {
		t.Fatalf("%.100s: %v", sql, err)
	}
}

// rows are the rows of a query, a line each, with | between values.
func (c conn) rows(t *testing.T, sql string) string {
	t.Helper()
	r := c.ExecParams(t.Context(), sql, nil, nil, nil, nil).Read()
	if r.Err != nil {
		t.Fatalf("%s: %v", sql, r.Err)
	}
	var b strings.Builder
	for _, row := range r.Rows {
		for i, value := range row {
			if i > 0 {
				b.WriteByte('|')
			}
			b.Write(value)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// open opens a sender that waits for nothing.
func (d *database) open(t *testing.T, dir, to string, o Options) *Sender {
	t.Helper()
	if o.TokenFile == "" {
		o.TokenFile = d.token
	}
	o.sleep = func(ctx context.Context, _ time.Duration) error {
		return sleep(ctx, time.Millisecond)
	}
	s, err := Open(dir, to, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const (
	plantStations = 8
	plantLines    = 10_000 // of each
)

func TestPostgresOverConnectionsThatAreCut(t *testing.T) {
	d := postgresServer(t).withSchema(t)
	wire := cutting(t, d.socket)
	var all sync.WaitGroup
	began := time.Now()
	dirs := map[string]string{}
	for i := range plantStations {
		name := fmt.Sprintf("line2-%c", 'a'+i)
		dirs[name] = t.TempDir()
		fill(t, dirs[name], name, plantLines)
	}
	t.Logf("%d journals written in %.1f s", plantStations, time.Since(began).Seconds())
	began = time.Now()
	for _, dir := range dirs {
		all.Go(func() { d.sendAll(t, dir, wire) })
	}
	all.Wait()
	t.Logf("%d lines sent in %.1f s, over %d connections, of which %d were cut", plantStations*plantLines,
		time.Since(began).Seconds(), wire.connections, wire.cuts)
	if wire.cuts < 100 {
		t.Errorf("%d connections were cut, want at least 100", wire.cuts)
	}
	d.whole(t, dirs)
	d.findsWhatIsMissing(t)
}

// sendAll sends a journal until nothing of it is unsent, as a station does.
func (d *database) sendAll(t *testing.T, dir string, wire *cutter) {
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	s := d.open(t, dir, "postgres://line2a@"+wire.address+"/"+d.name, Options{})
	sleepAsBefore := s.options.sleep
	s.options.sleep = func(ctx context.Context, pause time.Duration) error {
		if pause == idle {
			stop()
		}
		return sleepAsBefore(ctx, pause)
	}
	if err := s.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Run = %v, want canceled when all is sent", err)
	}
	if n, _ := s.Unsent(); n != 0 {
		t.Errorf("%d lines are unsent", n)
	}
}

// whole compares what is in the database with what is in the journals, to the byte.
func (d *database) whole(t *testing.T, dirs map[string]string) {
	t.Helper()
	for name, dir := range dirs {
		got := d.rows(t, "SELECT line FROM smpctl.records WHERE station = '"+name+"' ORDER BY seq")
		if got != content(t, dir) {
			t.Errorf("%s: %d bytes arrived, which are not the %d of its journal", name, len(got), len(content(t, dir)))
		}
	}
	restored := t.TempDir() // as after the loss of a station's disk
	write(t, filepath.Join(restored, "2026-11.jsonl"),
		d.rows(t, "SELECT line FROM smpctl.records WHERE station = 'line2-a' ORDER BY seq"))
	if v, err := journal.Verify(restored, journal.VerifyOptions{}); err != nil || !v.Whole() || v.Lines != plantLines {
		t.Errorf("the journal that the database gives back: %+v, %v", v, err)
	}
	want := fmt.Sprintf("%d|%d\n", plantStations*plantLines, plantStations)
	if got := d.rows(t, "SELECT count(*), count(DISTINCT station) FROM smpctl.records"); got != want {
		t.Errorf("lines and stations: %s, want %s", got, want)
	}
	// Once a row was looked for in all others: 10,000 lines took 44 s.
	const scans = "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'records' AND seq_scan > 100"
	if got := d.rows(t, scans); got != "" {
		t.Errorf("all rows were read %s times", got)
	}
	for _, view := range []string{"gaps", "altered WHERE seq % 10 = 0"} { // of the second a part: it takes its time
		began := time.Now()
		if got := d.rows(t, "SELECT * FROM smpctl."+view); got != "" {
			t.Errorf("%s:\n%s", view, got)
		}
		t.Logf("%s looked at in %.2f s", view, time.Since(began).Seconds())
	}
}

// findsWhatIsMissing takes lines away and changes some, and looks whether that is told.
func (d *database) findsWhatIsMissing(t *testing.T) {
	d.run(t, `DELETE FROM smpctl.records WHERE station = 'line2-b' AND seq = 4711;
		DELETE FROM smpctl.records WHERE station = 'line2-c' AND seq <= 2;
		DELETE FROM smpctl.records WHERE station = 'line2-d' AND seq BETWEEN 100 AND 199;
		UPDATE smpctl.records SET result = 'pass' WHERE station = 'line2-e' AND seq = 16;
		UPDATE smpctl.records SET line = replace(line, '"fail"', '"pass"') WHERE station = 'line2-f' AND seq = 16;
		UPDATE smpctl.records SET record = jsonb_set(record, '{message}', '"all fine"')
			WHERE station = 'line2-g' AND seq = 16;
		UPDATE smpctl.records SET line = replace(line, '"fail"', '"pass"'), record = jsonb_set(record, '{result}', '"pass"'),
			result = 'pass', sha256 = encode(sha256(convert_to(replace(line, '"fail"', '"pass"'), 'UTF8')), 'hex')
			WHERE station = 'line2-h' AND seq = 16`)
	wantGaps := `line2-b|4712|lines 4711 to 4711 are missing
line2-c|3|lines 1 to 2 are missing
line2-d|200|lines 100 to 199 are missing
line2-h|17|line 16 is not the one that was written before it
`
	if got := d.rows(t, "SELECT station, seq, problem FROM smpctl.gaps ORDER BY station, seq"); got != wantGaps {
		t.Errorf("gaps:\n%swant:\n%s", got, wantGaps)
	}
	wantAltered := "line2-e|16\nline2-f|16\nline2-g|16\n"
	got := d.rows(t, "SELECT station, seq FROM smpctl.altered WHERE seq < 100 ORDER BY station, seq")
	if got != wantAltered {
		t.Errorf("altered:\n%swant:\n%s", got, wantAltered)
	}
}

// cutter is a way to the server's socket that ends after some bytes, in whatever direction they went.
type cutter struct {
	address string

	mu                sync.Mutex // guards the rest
	random            *rand.Rand
	connections, cuts int
}

func cutting(t *testing.T, socket string) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	c := &cutter{address: l.Addr().String(), random: rand.New(rand.NewPCG(seed, 0))}
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("unix", socket)
			if err != nil {
				near.Close()
				continue
			}
			c.join(near.(*net.TCPConn), far)
		}
	}()
	return c
}

// join passes bytes between two connections until so many went by: from 1 to 4 MiB, with as many cuts among the first
// hundred, in which the two greet each other, as among the next thousand.
func (c *cutter) join(near *net.TCPConn, far net.Conn) {
	c.mu.Lock()
	c.connections++
	left := int64(math.Exp(c.random.Float64() * math.Log(4<<20)))
	c.mu.Unlock()
	var once sync.Once
	end := func(cut bool) {
		once.Do(func() {
			if cut {
				_ = near.SetLinger(0) // a reset: what is under way is lost
				c.mu.Lock()
				c.cuts++
				c.mu.Unlock()
			}
			near.Close()
			far.Close()
		})
	}
	var mu sync.Mutex // guards left
	pass := func(to, from net.Conn) {
		buf := make([]byte, 16<<10)
		for {
			n, err := from.Read(buf)
			mu.Lock()
			n = int(min(int64(n), left))
			left -= int64(n)
			cut := left == 0
			mu.Unlock()
			if _, werr := to.Write(buf[:n]); err != nil || werr != nil || cut {
				end(cut)
				return
			}
		}
	}
	go pass(far, near)
	go pass(near, far)
}
