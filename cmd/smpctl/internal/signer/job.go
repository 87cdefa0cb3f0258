package signer

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/key"
)

// Input says what a signer gets: the digest, or the payload that it hashes itself.
type Input string

// What a signer may get.
const (
	InputDigest  Input = "digest"
	InputPayload Input = "payload"
)

// job is what a signer outside of this process is asked for.
type job struct {
	algorithm string // ecdsa-p256-sha256 and so on, in words of section "exec:" of docs/signing.md
	hash      string // sha256, sha384 or sha512: the image hash
	hashType  image.TLVType
	keyHash   []byte // of the expected key, as the image names it
	public    []byte // the expected key, SubjectPublicKeyInfo
	input     Input
	digest    []byte
	data      []byte // digest or payload, as input says
}

// newJob says what is to be signed of an image. An Ed25519 key signs the digest as a message, or the payload of a pure
// image; there the choice is not the signer's.
func newJob(u *image.Unsigned, input Input) (job, error) {
	pub := u.PublicKey()
	j := job{hashType: u.HashType(), hash: strings.ToLower(u.HashType().String()), input: input, digest: u.Digest()}
	var err error
	if j.keyHash, err = key.Hash(pub, j.hashType); err != nil {
		return j, err
	}
	if j.public, err = x509.MarshalPKIXPublicKey(pub); err != nil {
		return j, err
	}
	j.algorithm = algorithmName(u)
	_, edwards := pub.(ed25519.PublicKey)
	switch {
	case u.Pure() && input == InputDigest:
		return j, failure.Usage("--signer-input digest: a pure signature covers the payload")
	case edwards && !u.Pure() && input == InputPayload:
		return j, failure.Usage("--signer-input payload: an Ed25519 key signs the digest of this image, or the " +
			"payload with --pure")
	case input == "" && u.Pure():
		j.input = InputPayload
	case input == "":
		j.input = InputDigest
	}
	j.data = j.digest
	if j.input == InputPayload {
		j.data = u.Payload()
	}
	return j, nil
}

// algorithmName is the signature algorithm in words, all parameters included.
func algorithmName(u *image.Unsigned) string {
	switch pub := u.PublicKey().(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("rsa-%d-pss-sha256-mgf1-sha256-salt32", pub.N.BitLen())
	case *ecdsa.PublicKey:
		return fmt.Sprintf("ecdsa-p%d-%s", pub.Curve.Params().BitSize, strings.ToLower(u.HashType().String()))
	}
	return "ed25519"
}
