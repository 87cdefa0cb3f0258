package main

import (
	"bufio"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"flag"
	"io"
	"math/big"
	"os"
	"strings"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/signer"
	"github.com/smpctl/smpctl/image/key"
)

// testSigner is a signing command for scripts that can make every mistake: testsigner -key FILE [flags]. It signs its
// standard input.
type testSigner struct {
	key, over, hash, scheme, encode, cat string
	salt, cut                            int
}

func runTestSigner() {
	var s testSigner
	var wait time.Duration
	flag.StringVar(&s.key, "key", "", "private key")
	flag.StringVar(&s.over, "over", "", "sign this file instead of standard input")
	flag.StringVar(&s.hash, "hash", "", "hash that first: sha256, sha384, sha512")
	flag.StringVar(&s.scheme, "scheme", "", "pkcs1 (RSA) or ph (Ed25519)")
	flag.StringVar(&s.encode, "encode", "", "base64, vault or rs")
	flag.StringVar(&s.cat, "cat", "", "write this file, sign nothing")
	flag.IntVar(&s.salt, "salt", 32, "bytes of the PSS salt")
	flag.IntVar(&s.cut, "cut", 0, "leave out so many bytes at the end")
	flag.DurationVar(&wait, "wait", 0, "before anything else")
	flag.Parse()
	time.Sleep(wait)
	_, _ = os.Stdout.Write(s.sign())
}

func (s testSigner) sign() []byte {
	if s.cat != "" {
		file := must(os.ReadFile(s.cat))
		return file[:len(file)-s.cut]
	}
	data := must(io.ReadAll(os.Stdin))
	if s.over != "" {
		data = must(os.ReadFile(s.over))
	}
	hash := map[int]crypto.Hash{32: crypto.SHA256, 48: crypto.SHA384, 64: crypto.SHA512}
	data = hashed(s.hash, data)
	var options crypto.SignerOpts = crypto.Hash(0)
	key := must(key.ParsePrivate(must(os.ReadFile(s.key)), nil))
	switch key.(type) {
	case *rsa.PrivateKey:
		options = &rsa.PSSOptions{SaltLength: s.salt, Hash: hash[len(data)]}
		if s.scheme == "pkcs1" {
			options = hash[len(data)]
		}
	case ed25519.PrivateKey:
		if s.scheme == "ph" {
			options = &ed25519.Options{Hash: crypto.SHA512}
		}
	}
	sig := must(key.Sign(rand.Reader, data, options))
	return encoded(s.encode, sig[:len(sig)-s.cut])
}

func hashed(name string, data []byte) []byte {
	switch name {
	case "sha256":
		sum := sha256.Sum256(data)
		return sum[:]
	case "sha384":
		sum := sha512.Sum384(data)
		return sum[:]
	case "sha512":
		sum := sha512.Sum512(data)
		return sum[:]
	}
	return data
}

func encoded(name string, sig []byte) []byte {
	switch name {
	case "base64":
		return []byte(base64.StdEncoding.EncodeToString(sig) + "\n")
	case "vault":
		return []byte("vault:v1:" + base64.StdEncoding.EncodeToString(sig) + "\n")
	case "rs":
		return rawECDSA(sig)
	}
	return sig
}

// rawECDSA makes r‖s of a P-256 signature in DER.
func rawECDSA(der []byte) []byte {
	var n struct{ R, S *big.Int }
	must(asn1.Unmarshal(der, &n))
	return append(n.R.FillBytes(make([]byte, 32)), n.S.FillBytes(make([]byte, 32))...)
}

// runTestToken is a smpctl-pkcs11 without a module: a token "ci" with the PIN 1234 and the keys of files in the folder;
// the object names the file. Some objects misbehave.
func runTestToken() {
	in, out := bufio.NewReader(os.Stdin), json.NewEncoder(os.Stdout)
	var r signer.TokenRequest
	must(0, json.Unmarshal(must(in.ReadBytes('\n')), &r))
	refuse := func(reason, message string, public []byte) {
		must(0,
			out.Encode(map[string]any{"error": map[string]any{"reason": reason, "message": message,
				"public_key": public}}))
	}
	if r.Token != "ci" {
		refuse("token-not-found", "no token with token=\""+r.Token+"\"", nil)
		return
	}
	must(0, out.Encode(map[string]any{"need": "pin", "token": r.Token, "last_try": r.Object == "last-try"}))
	var secret struct{ PIN string }
	line, err := in.ReadBytes('\n')
	if err != nil {
		return
	}
	must(0, json.Unmarshal(line, &secret))
	switch {
	case secret.PIN != "1234":
		refuse("pin-incorrect", "token \"ci\": the PIN is wrong (CKR_PIN_INCORRECT)", nil)
		return
	case r.Object == "crash":
		os.Stderr.WriteString("module: \x1b[2Jgone\n")
		os.Exit(2)
	case r.Object == "hang":
		time.Sleep(time.Minute)
	case r.Object == "chatty":
		os.Stdout.WriteString("module: debug\n")
		r.Object = "ecdsa.pem"
	}
	key := must(key.ParsePrivate(must(os.ReadFile(r.Object)), nil))
	if der := must(x509.MarshalPKIXPublicKey(key.Public())); string(der) != string(r.PublicKey) {
		refuse("key-mismatch", "token \"ci\": key \""+r.Object+"\" is not the private half of the given public key",
			der)
		return
	}
	sig := must(key.Sign(rand.Reader, r.Data, crypto.Hash(0)))
	if _, ok := key.(*ecdsa.PrivateKey); ok && !strings.Contains(r.Object, "der") {
		sig = rawECDSA(sig)
	}
	must(0, out.Encode(map[string]any{"signature": sig}))
	switch r.Object {
	case "crash-later.pem":
		os.Exit(2)
	case "linger.pem":
		time.Sleep(time.Minute)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
