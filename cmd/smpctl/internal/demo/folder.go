package demo

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/smpctl/smpctl/image"
)

// Slots are those of the fixture, by location.
var slots = []struct{ location, name string }{
	{"1-1.1", "A1"}, {"1-1.2", "A2"}, {"1-1.3", "A3"}, {"1-1.4", "A4"},
	{"1-1.5", "B1"}, {"1-1.6", "B2"}, {"1-1.7", "B3"}, {"1-1.8", "B4"},
}

// firmwareSize are the bytes of what is flashed: some seconds at 115200 baud.
const firmwareSize = 40 << 10

// folder has the files of a station.
type folder struct {
	path  string
	ours  crypto.PublicKey // that boards trust
	other crypto.PublicKey // that a board trusts which was made for somebody else
}

// makeFolder writes an image, the key that signed it, and the file of a station into a folder.
func makeFolder(path string) (folder, error) {
	f := folder{path: path}
	ours, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return f, err
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return f, err
	}
	f.ours, f.other = &ours.PublicKey, &other.PublicKey
	img, err := firmware(ours)
	if err != nil {
		return f, err
	}
	public, err := x509.MarshalPKIXPublicKey(f.ours)
	if err != nil {
		return f, err
	}
	for name, data := range map[string][]byte{
		"app-2.0.0.signed.bin": img,
		"fw.pub.pem":           pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}),
		"station.toml":         []byte(stationFile()),
	} {
		if err := os.WriteFile(filepath.Join(path, name), data, 0o600); err != nil {
			return f, err
		}
	}
	return f, nil
}

// firmware is a signed image whose body means nothing.
func firmware(signer crypto.Signer) ([]byte, error) {
	body := make([]byte, firmwareSize)
	if _, err := rand.Read(body); err != nil {
		return nil, err
	}
	u, err := image.Build(body, signer.Public(), image.BuildOptions{Version: image.Version{Major: 2}, PadHeader: true})
	if err != nil {
		return nil, err
	}
	return image.Sign(u, signer, rand.Reader)
}

// stationFile is the file of the station.
func stationFile() string {
	var b strings.Builder
	b.WriteString(`name = "demo"
[image]
file = "app-2.0.0.signed.bin"
key = "fw.pub.pem"
[boards]
match = "usb:2fe3:0004"
[records]
dir = "records"
key = "station.pem"
[slots]
`)
	for _, s := range slots {
		fmt.Fprintf(&b, "%q = %q\n", s.location, s.name)
	}
	return b.String()
}
