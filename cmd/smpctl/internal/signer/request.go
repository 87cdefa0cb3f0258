package signer

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/key"
)

// Request is the file that sign prepare writes: what has to be signed, in words and bytes, and how sign attach
// makes the image again that the signature belongs to.
type Request struct {
	Format    int           `json:"smpctl_sign_request"` // requestFormat
	Sign      string        `json:"sign"`                // what to do, in a sentence
	Algorithm string        `json:"algorithm"`
	Input     Input         `json:"input"` // what is signed: the digest, or the payload
	Digest    string        `json:"digest"`
	DigestB64 string        `json:"digest_base64"`
	Hash      string        `json:"hash"` // of the payload: sha256, sha384 or sha512
	KeyHash   string        `json:"key_hash"`
	PublicKey string        `json:"public_key"` // PEM
	Version   string        `json:"version"`    // of the image
	File      RequestFile   `json:"file"`
	Again     bool          `json:"again,omitempty"` // the file is an image that is signed again
	Options   []string      `json:"options"`         // flags as they were given: --NAME=VALUE
	Files     []RequestFile `json:"files,omitempty"` // that options name
}

const (
	requestFormat  = 1
	maxRequestFile = 1 << 20
)

// NewRequest describes an image that waits for its signature. The file and the options that it is made of are the
// caller's to add.
func NewRequest(u *image.Unsigned) (Request, error) {
	j, err := newJob(u, "")
	if err != nil {
		return Request{}, err
	}
	return Request{
		Format: requestFormat, Sign: instruction(u, j), Algorithm: j.algorithm, Input: j.input, Hash: j.hash,
		Digest: hex.EncodeToString(j.digest), DigestB64: base64.StdEncoding.EncodeToString(j.digest),
		KeyHash:   hex.EncodeToString(j.keyHash),
		PublicKey: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: j.public})),
		Version:   u.Header().Version.String(),
	}, nil
}

// instruction tells the owner of the key what to do.
func instruction(u *image.Unsigned, j job) string {
	name := strings.ToUpper(j.hash[:3]) + "-" + j.hash[3:]
	switch {
	case u.Pure():
		return "sign the payload, the file that --payload wrote, with Ed25519 (not Ed25519ph)"
	case j.algorithm == "ed25519":
		return fmt.Sprintf("sign the digest with Ed25519 (not Ed25519ph): its %d bytes are the message", len(j.digest))
	case strings.HasPrefix(j.algorithm, "rsa"):
		return "sign the digest, a SHA-256, with RSASSA-PSS: MGF1 with SHA-256, salt of 32 bytes; do not hash it again"
	}
	return fmt.Sprintf("sign the digest, a %s, with ECDSA; do not hash it again", name)
}

// ReadRequest reads the file of a request. Nothing in it is trusted beyond its form: the image that is made from it
// says what was signed. Everything that is wrong with it is of kind image.
func ReadRequest(path string) (Request, error) {
	data, err := files.Read(path, maxRequestFile)
	if err != nil {
		return Request{}, failure.AsImage(err)
	}
	return parseRequest(path, data)
}

func parseRequest(path string, data []byte) (Request, error) {
	var r Request
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(&r)
	switch {
	case r.Format > requestFormat:
		return r, failure.AsImage(fmt.Errorf("%s: a request of format %d, from a newer smpctl", path, r.Format))
	case err != nil || d.More() || r.Format != requestFormat || r.File.Path == "":
		return r, failure.AsImage(fmt.Errorf("%s: is not a request that smpctl sign prepare wrote", path))
	}
	return r, nil
}

// Write writes the file of a request.
func (r Request) Write(path string) error {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return err
	}
	return files.Write(path, text.Bytes(), files.Options{})
}

// SigningKey is the key that the request names.
func (r Request) SigningKey() (crypto.PublicKey, error) {
	return key.ParsePublic([]byte(r.PublicKey))
}
