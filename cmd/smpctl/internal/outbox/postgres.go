package outbox

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
)

// insert takes lines as they stand in the journal, one statement and so one transaction a batch. All other columns the
// database fills in itself, see schema.sql.
const insert = `INSERT INTO smpctl.records (line) SELECT unnest(string_to_array($1, E'\n')) ON CONFLICT DO NOTHING`

// maxMessage bounds the bytes of a message of a server: to an insert it has little to say.
const maxMessage = 1 << 20

// postgres sends lines into a database.
type postgres struct {
	config *pgconn.Config
	secret secret
	conn   *pgconn.PgConn // nil between connections
}

func postgresTarget(u *url.URL, o Options) (target, error) {
	query := u.Query()
	for _, key := range []string{"password", "sslpassword"} {
		if query.Has(key) {
			return target{}, failure.Usage("the target holds a password, which other people would see")
		}
	}
	if o.CAFile != "" {
		query.Set("sslrootcert", o.CAFile)
	}
	config, err := postgresConfig(u, query)
	if err != nil {
		return target{}, err
	}
	config.ConnectTimeout = connectTime
	config.MaxProtocolMessageBodyLen = maxMessage
	config.RuntimeParams["application_name"] = cmp.Or(o.Agent, "smpctl")
	if o.dial != nil {
		config.DialFunc = o.dial
	}
	name := nameOf(config)
	return target{said(name), name, &postgres{config: config, secret: o.secret()}}, nil
}

// postgresConfig is what a URL and PostgreSQL's own environment say together. Where neither says how TLS is used, a
// server on another machine has to show a certificate for its name: "prefer", which libpq has there, believes anybody.
func postgresConfig(u *url.URL, query url.Values) (*pgconn.Config, error) {
	parse := func() (*pgconn.Config, error) {
		with := *u
		with.RawQuery = query.Encode()
		config, err := pgconn.ParseConfig(with.String())
		if err != nil { // its text may hold more than is to be shown
			return nil, unusable("the target, or what PGHOST and others of its kind say, is not usable by PostgreSQL: " +
				said(rootOf(err)))
		}
		return config, nil
	}
	config, err := parse()
	if err != nil || onlyLoopback(config) {
		return config, err
	}
	if !query.Has("sslmode") && os.Getenv("PGSSLMODE") == "" {
		query.Set("sslmode", "verify-full")
	} else if !query.Has("require_auth") && !verifies(config) {
		query.Set("require_auth", "!password") // who may be anybody is not told it in plain text
	}
	return parse()
}

// verifies reports whether a server has to show a certificate on every way to it.
func verifies(config *pgconn.Config) bool {
	good := func(c *tls.Config) bool { return c != nil && (!c.InsecureSkipVerify || c.VerifyPeerCertificate != nil) }
	for _, f := range config.Fallbacks {
		if !good(f.TLSConfig) {
			return false
		}
	}
	return good(config.TLSConfig)
}

// rootOf is the innermost cause of an error, which shows nothing of what was parsed.
func rootOf(err error) string {
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	var whole *pgconn.ParseConfigError
	if errors.As(err, &whole) {
		return "a value in it"
	}
	return err.Error()
}

func onlyLoopback(config *pgconn.Config) bool {
	for _, f := range config.Fallbacks {
		if !isLoopback(f.Host) {
			return false
		}
	}
	return isLoopback(config.Host)
}

func (p *postgres) rest() {
	if p.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), restTime)
	defer cancel()
	_ = p.conn.Close(ctx)
	p.conn = nil
}

func (p *postgres) deliver(ctx context.Context, lines []byte) error {
	ctx, cancel := context.WithTimeout(ctx, deliverTime)
	defer cancel()
	if p.conn == nil {
		if err := p.connect(ctx); err != nil {
			return err
		}
	}
	lines = bytes.TrimSuffix(lines, []byte("\n"))
	err := p.conn.ExecParams(ctx, insert, [][]byte{lines}, nil, nil, nil).Read().Err
	if err == nil {
		return nil
	}
	if p.conn.IsClosed() {
		p.conn = nil
	}
	return p.judge(err)
}

func (p *postgres) connect(ctx context.Context) error {
	password, err := p.secret.read()
	if err != nil {
		return &setback{text: failure.Text(err), err: err, lasting: true}
	}
	if password != "" {
		p.config.Password = password
	}
	p.conn, err = pgconn.ConnectConfig(ctx, p.config)
	if err != nil {
		p.conn = nil
		return p.judge(err)
	}
	return nil
}

// judge makes of an error what it means for the lines.
func (p *postgres) judge(err error) error {
	var theirs *pgconn.PgError
	var network *net.OpError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &theirs):
		return judgeSQL(theirs, p.config.Password)
	case pgconn.Timeout(err):
		return &setback{text: "no answer in time", err: err}
	case errors.As(err, &certificate): // without the names and addresses that the driver puts before a cause
		err = certificate
	case errors.As(err, &network):
		err = network
	}
	return unreached(err, p.config.Password)
}

// judgeSQL goes by the class of an error, the first two characters of its code (PostgreSQL's appendix A).
func judgeSQL(e *pgconn.PgError, password string) error {
	text := "the database says " + said(e.Message, password) + " (" + said(e.Code) + ")"
	class := e.Code[:min(2, len(e.Code))]
	switch {
	case e.Code == "25006": // what answers is a standby
		return &setback{text: text}
	case strings.Contains(" 08 40 53 55 57 58 XX ", " "+class+" "): // connection, deadlock, resources, shutdown, disk
		return &setback{text: text}
	case strings.Contains(" 21 22 23 54 P0 ", " "+class+" "): // values, constraints, sizes, what a trigger raised
		return &refusal{text: text, ofLines: true}
	case class == "28":
		return &refusal{text: text, hint: "look at the password: --token-file, token_file, PGPASSWORD or PGPASSFILE"}
	case class == "42" || class == "3F":
		return &refusal{text: text, hint: "smpctl records schema prints what the database has to have: tables, and the " +
			"role smpctl_station for who sends"}
	}
	return &refusal{text: text}
}

// nameOf names a database, whatever the URL left to the environment.
func nameOf(config *pgconn.Config) string {
	port := strconv.Itoa(int(config.Port))
	if strings.HasPrefix(config.Host, "/") { // a folder with a socket
		return "postgres:///" + config.Database + "?host=" + config.Host + "&port=" + port
	}
	return "postgres://" + net.JoinHostPort(config.Host, port) + "/" + config.Database
}
