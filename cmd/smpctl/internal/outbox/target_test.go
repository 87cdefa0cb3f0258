package outbox

import (
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
)

// noPostgres keeps the environment of whoever runs the tests out of them.
func noPostgres(t *testing.T) {
	t.Helper()
	for name := range strings.FieldsSeq("PGHOST PGPORT PGDATABASE PGSSLMODE PGSERVICE PGPASSWORD PGSSLROOTCERT") {
		t.Setenv(name, "")
	}
	t.Setenv("PGUSER", "station")
	t.Setenv("PGPASSFILE", "/nowhere")
}

func TestTargetsThatAreRefused(t *testing.T) {
	noPostgres(t)
	for _, c := range []struct{ target, want string }{
		{"", "begins with neither https:// nor postgres://"},
		{"mes.example/v1", "begins with neither https:// nor postgres://"},
		{"ftp://mes.example", "begins with neither https:// nor postgres://"},
		{"http://mes.example/v1", "http:// is only for this machine: mes.example needs https://"},
		{"http://127.0.0.1.evil.example/", "http:// is only for this machine"},
		{"http://localhost.evil.example/", "http:// is only for this machine"},
		{"https:///v1", "the target names no host"},
		{"https://anna@mes.example", "the target names a user"},
		{"https://anna:s3cret@mes.example", "the target holds a password"},
		{"https://anna:s3cret@mes example/%zz", "the target is not a URL"},
		{"postgres://anna:s3cret@db/plant", "the target holds a password"},
		{"postgres://anna@db/plant?password=s3cret", "the target holds a password"},
		{"postgres://anna@db/plant?sslpassword=s3cret", "the target holds a password"},
		{"postgres://anna@db/plant?sslmode=s3cret", "is not usable by PostgreSQL"},
		{"postgres://anna@db/plant?connect_timeout=s3cret", "is not usable by PostgreSQL"},
		{"postgres://anna@db/plant?sslrootcert=/nowhere/at/all&sslmode=verify-full", "is not usable by PostgreSQL"},
		{"postgres://anna@db:s3cret/plant", "the target is not a URL"},
	} {
		_, err := parseTarget(c.target, Options{})
		var usage failure.UsageError
		if err == nil || !strings.Contains(err.Error(), c.want) || !errors.As(err, &usage) {
			t.Errorf("%s: got %v, want usage: %s", c.target, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: the error shows the secret: %v", c.target, err)
		}
	}
}

func TestTargetsByName(t *testing.T) {
	noPostgres(t)
	for target, want := range map[string]string{
		"https://mes.example/v1/records":                          "https://mes.example/v1/records",
		"https://mes.example:8443/v1?key=s3cret#x":                "https://mes.example:8443/v1?…",
		"http://localhost:8080/":                                  "http://localhost:8080/",
		"http://[::1]:8080/\x7f":                                  "",
		"postgres://anna@db.example/plant":                        "postgres://db.example:5432/plant",
		"postgresql://anna@db.example:5433/plant?sslmode=require": "postgres://db.example:5433/plant",
		"postgres:///plant?host=/run/postgresql":                  "postgres:///plant?host=/run/postgresql&port=5432",
	} {
		got, err := parseTarget(target, Options{})
		if want == "" && err == nil || want != "" && (err != nil || got.name != want) {
			t.Errorf("%s: %q, %v, want %q", target, got.name, err, want)
		}
	}
}

func TestCursorsOfTargets(t *testing.T) {
	noPostgres(t)
	name := func(target string) string {
		to, err := parseTarget(target, Options{})
		if err != nil {
			t.Fatal(err)
		}
		return to.cursorName()
	}
	for _, c := range []struct {
		one, other string
		same       bool
	}{
		{"https://mes.example/v1", "https://mes.example/v1#top", true},
		{"https://mes.example/v1", "https://mes.example/v2", false},
		{"https://mes.example/v1?line=1", "https://mes.example/v1?line=2", false},
		{"postgres://anna@db/plant", "postgres://bob@db:5432/plant?sslmode=require", true},
		{"postgres://anna@db/plant", "postgres://anna@db/other", false},
	} {
		if got := name(c.one) == name(c.other); got != c.same {
			t.Errorf("%s and %s have one cursor: %v, want %v", c.one, c.other, got, c.same)
		}
	}
}

// TestPostgresIsNotBelieved pins when a server has to show a certificate for its name.
func TestPostgresIsNotBelieved(t *testing.T) {
	for _, c := range []struct {
		target, host, mode string
		verified, plain    bool
	}{
		{"postgres://db.example/plant", "", "", true, false},
		{"postgres:///plant", "db.example", "", true, false},
		{"postgres:///plant?host=localhost,db.example", "", "", true, false},
		{"postgres://db.example/plant?sslmode=require", "", "", false, false}, // as asked
		{"postgres://db.example/plant", "", "disable", false, true},           // as asked
		{"postgres://127.0.0.1/plant", "", "", false, true},
		{"postgres:///plant?host=/run/postgresql", "", "", false, true},
	} {
		noPostgres(t)
		t.Setenv("PGHOST", c.host)
		t.Setenv("PGSSLMODE", c.mode)
		to, err := parseTarget(c.target, Options{})
		if err != nil {
			t.Errorf("%s: %v", c.target, err)
			continue
		}
		config := to.carrier.(*postgres).config
		if asked := config.RequireAuth == "!password"; asked == (c.verified || c.plain && c.mode == "") {
			t.Errorf("%s: a server may ask for the password in plain text: %v", c.target, !asked)
		}
		verified, plain := trusts(config)
		if verified != c.verified || plain != c.plain {
			t.Errorf("%s: verified %v, plain text possible %v, want %v and %v", c.target, verified, plain, c.verified, c.plain)
		}
	}
}

// trusts reports whether every connection has a verified certificate, and whether one may be plain text.
func trusts(c *pgconn.Config) (verified, plain bool) {
	verified = c.TLSConfig != nil && !c.TLSConfig.InsecureSkipVerify
	plain = c.TLSConfig == nil
	for _, f := range c.Fallbacks {
		verified = verified && f.TLSConfig != nil && !f.TLSConfig.InsecureSkipVerify
		plain = plain || f.TLSConfig == nil
	}
	return verified, plain
}

func FuzzTarget(f *testing.F) {
	f.Add("https://mes.example/v1/records?key=1")
	f.Add("postgres://anna:PASSWORD@db.example:5432/plant?sslmode=require")
	f.Add("postgres://db/plant?password=PASSWORD")
	f.Add("http://[::1]:80/%2f")
	f.Add("postgres:///?host=/run&port=1,2&PASSWORD")
	f.Fuzz(func(t *testing.T, text string) {
		const secret = "PASSWORD"
		to, err := parseTarget(text, Options{})
		if err != nil {
			if hidden := strings.Contains(text, ":"+secret+"@") || strings.Contains(text, "password="+secret); hidden &&
				strings.Contains(err.Error(), secret) {
				t.Errorf("%q: the error shows a password: %v", text, err)
			}
			return
		}
		if to.name == "" || strings.ContainsFunc(to.name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			t.Errorf("%q has the name %q", text, to.name)
		}
	})
}
