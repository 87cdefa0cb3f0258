package signer

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/key"
	"github.com/spf13/pflag"
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

// RequestFile is a file that the image is made of. The path is relative to the request, so that both can move together.
type RequestFile struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
}

// NewRequest describes an image that waits for its signature.
func NewRequest(u *image.Unsigned, s signing) Request {
	return Request{
		Format: requestFormat, Sign: instruction(u, s), Algorithm: s.algorithm, Input: s.input, Hash: s.hash,
		Digest: hex.EncodeToString(s.digest), DigestB64: base64.StdEncoding.EncodeToString(s.digest),
		KeyHash:   hex.EncodeToString(s.keyHash),
		PublicKey: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: s.public})),
		Version:   u.Header().Version.String(),
	}
}

// instruction tells the owner of the key what to do.
func instruction(u *image.Unsigned, s signing) string {
	name := strings.ToUpper(s.hash[:3]) + "-" + s.hash[3:]
	switch {
	case u.Pure():
		return "sign the payload, the file that --payload wrote, with Ed25519 (not Ed25519ph)"
	case s.algorithm == "ed25519":
		return fmt.Sprintf("sign the digest with Ed25519 (not Ed25519ph): its %d bytes are the message", len(s.digest))
	case strings.HasPrefix(s.algorithm, "rsa"):
		return "sign the digest, a SHA-256, with RSASSA-PSS: MGF1 with SHA-256, salt of 32 bytes; do not hash it again"
	}
	return fmt.Sprintf("sign the digest, a %s, with ECDSA; do not hash it again", name)
}

// fileFlags are the options that name a file, with what stands before its path. The file has to be the same when the
// image is made again.
var fileFlags = map[string]func(value string) (before, path string){
	"encrypt": func(value string) (string, string) { return "", value },
	"custom-tlv-file": func(value string) (string, string) {
		tag, path, _ := strings.Cut(value, "=")
		return tag + "=", path
	},
}

// RecordOptions keeps what was said on the command line, but for what concerns this step only.
func (r *Request) RecordOptions(given, known *pflag.FlagSet, request string) error {
	r.Options = []string{}
	var first error
	given.Visit(func(f *pflag.Flag) {
		if known.Lookup(f.Name) == nil {
			return
		}
		values := []string{f.Value.String()}
		if list, ok := f.Value.(interface{ GetSlice() []string }); ok { // a flag that may be repeated
			values = list.GetSlice()
		}
		for _, value := range values {
			value, err := r.recordOption(f.Name, value, request)
			if first == nil {
				first = err
			}
			r.Options = append(r.Options, "--"+f.Name+"="+value)
		}
	})
	return first
}

// recordOption gives the value for the request: a path in it becomes relative to that.
func (r *Request) recordOption(name, value, request string) (string, error) {
	split := fileFlags[name]
	if split == nil {
		return value, nil
	}
	before, path := split(value)
	file, err := RecordFile(path, request)
	r.Files = append(r.Files, file)
	return before + file.Path, err
}

// RecordFile takes down a file for a request that is written to another one.
func RecordFile(path, request string) (RequestFile, error) {
	data, err := files.Read(path, files.MaxImageFile)
	if err != nil {
		return RequestFile{}, failure.AsImage(err)
	}
	sum := sha256.Sum256(data)
	return RequestFile{RelativeTo(request, path), hex.EncodeToString(sum[:])}, nil
}

// RelativeTo is the path from the folder of a file to another one. Slashes make it good on every system.
func RelativeTo(file, path string) string {
	from, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return path
	}
	to, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	relative, err := filepath.Rel(from, to)
	if err != nil { // on another volume
		return to
	}
	return filepath.ToSlash(relative)
}

// From is where a request that lies at the given path means the file to be.
func (f RequestFile) From(request string) string {
	path := filepath.FromSlash(f.Path)
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(request), path)
}

// Check makes sure that the file still is what it was.
func (f RequestFile) Check(path string) error {
	data, err := files.Read(path, files.MaxImageFile)
	if err != nil {
		return failure.AsImage(err)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != f.SHA256 {
		return failure.AsImage(fmt.Errorf("%s: is not the file that was prepared: its SHA-256 is %x…, it was %.8s…: "+
			"it was built again; prepare it again too, and have that signed", path, sum[:4], f.SHA256))
	}
	return nil
}

// ReadRequest reads the file of a request.
func ReadRequest(path string) (Request, error) {
	data, err := files.Read(path, maxRequestFile)
	if err != nil {
		return Request{}, failure.AsImage(err)
	}
	return ParseRequest(path, data)
}

// ParseRequest reads a request. Nothing in it is trusted beyond its form: the image that is made from it says what was
// signed.
func ParseRequest(path string, data []byte) (Request, error) {
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

// SigningKey is the key that the request names.
func (r Request) SigningKey() (crypto.PublicKey, error) {
	return key.ParsePublic([]byte(r.PublicKey))
}

// Apply sets the recorded options of a request that lies at the given path.
func (r Request) Apply(f *pflag.FlagSet, request string) error {
	for _, option := range r.Options {
		text, dashes := strings.CutPrefix(option, "--")
		name, value, ok := strings.Cut(text, "=")
		if !dashes || !ok || f.Lookup(name) == nil {
			return failure.AsImage(fmt.Errorf("%s: option %q is unknown: the request is from another version of smpctl",
				request, option))
		}
		if split := fileFlags[name]; split != nil {
			before, path := split(value)
			value = before + RequestFile{Path: path}.From(request)
		}
		if err := f.Set(name, value); err != nil {
			return failure.AsImage(fmt.Errorf("%s: option --%s: %w", request, name, err))
		}
	}
	return nil
}
