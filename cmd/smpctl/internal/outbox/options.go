package outbox

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
)

// Options say how a [Sender] gets at its target. The zero value is without a token, and with the certificate
// authorities that the system trusts.
type Options struct {
	// TokenFile holds the bearer token for https, or the password for PostgreSQL, which otherwise comes from PGPASSWORD
	// or PGPASSFILE. It is read for each delivery, so that it can be replaced. Empty: none.
	TokenFile string
	// CAFile holds the certificates in PEM of authorities that are trusted instead of the system's. Empty: the system's.
	CAFile string
	// Agent is how smpctl calls itself to a server. Empty: smpctl.
	Agent string
	// Failed, if not nil, is told of each try that failed and will be repeated after a time. It must not block.
	Failed func(err error, wait time.Duration)

	// For tests.
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
	random func() float64
	sleep  func(ctx context.Context, d time.Duration) error
}

// secret is what tells a target who sends.
type secret struct{ path string }

func (o Options) secret() secret { return secret{o.TokenFile} }

// maxSecret bounds the bytes of a token: headers of more are refused by many servers.
const maxSecret = 8 << 10

// read gives the secret, or nothing without a file. Its errors do not show any of it.
func (s secret) read() (string, error) {
	if s.path == "" {
		return "", nil
	}
	data, err := files.Read(s.path, maxSecret)
	if err != nil {
		return "", fmt.Errorf("token: %w", err)
	}
	token := strings.TrimSpace(string(data))
	switch {
	case token == "":
		return "", fmt.Errorf("token: %s: is empty", s.path)
	case strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "", fmt.Errorf("token: %s: holds more than one word of printable ASCII", s.path)
	}
	return token, nil
}

// maxCertificates bounds the bytes of a file with certificates: a system's are some 200 kB.
const maxCertificates = 4 << 20

// roots are the certificate authorities that are trusted; nil: the system's.
func (o Options) roots() (*x509.CertPool, error) {
	if o.CAFile == "" {
		return nil, nil
	}
	data, err := files.ReadInput("certificate authorities", o.CAFile, maxCertificates)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, failure.Usage("certificate authorities: %s: holds no certificate in PEM", o.CAFile)
	}
	return pool, nil
}
