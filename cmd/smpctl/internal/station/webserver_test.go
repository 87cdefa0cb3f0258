package station

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/page"
)

// withTLS is a station whose page may leave this computer.
func withTLS(t *testing.T, token string) Config {
	t.Helper()
	dir := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"cert.pem": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		"key.pem":  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
		"token":    []byte(token + "\n"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text := least + "[page]\nlisten = \"127.0.0.1:0\"\ncert = \"cert.pem\"\nkey = \"key.pem\"\ntoken_file = \"token\"\n"
	c, err := parseConfig([]byte(text), dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAPageForOthersIsBehindTLSAndAToken(t *testing.T) {
	w, err := openWeb(t.Context(), withTLS(t, "correct horse battery"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- w.serve(ctx) }()
	defer func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()
	w.page.Show(page.View{Station: "line2-a"})
	known := x509.NewCertPool()
	known.AddCert(w.tls.Certificates[0].Leaf)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: known}}}
	defer client.CloseIdleConnections()
	if got := get(t, client, w.url); !strings.Contains(got, `id="login"`) || strings.Contains(got, "line2-a") {
		t.Errorf("a stranger sees\n%s", got)
	}
	if got := get(t, client, "http"+strings.TrimPrefix(w.url, "https")); strings.Contains(got, "<html") {
		t.Errorf("without TLS there is\n%s", got)
	}
}

func get(t *testing.T, client *http.Client, url string) string {
	t.Helper()
	r, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestATokenThatCanBeGuessed(t *testing.T) {
	if _, err := openWeb(t.Context(), withTLS(t, "1234")); err == nil ||
		err.Error() != "page.token_file: want at least 16 characters" {
		t.Errorf("error %v", err)
	}
}

func TestAnAddressThatIsTaken(t *testing.T) {
	c, err := parseConfig([]byte(least), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c.Page.Listen = "127.0.0.1:0"
	w, err := openWeb(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer w.listener.Close()
	c.Page.Listen = w.listener.Addr().String()
	_, err = openWeb(t.Context(), c)
	if err == nil || !strings.HasPrefix(err.Error(), "open page 127.0.0.1:") {
		t.Errorf("error %v", err)
	}
}
