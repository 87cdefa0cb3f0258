package key_test

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/key"
)

// weakKey is a public key that reads like one and is none.
type weakKey struct {
	name, words string
	kind        image.Kind       // ErrWeakKey, or ErrBadKey for what is no key at all; "": either
	public      crypto.PublicKey // nil if Go has no value for it
	der         []byte           // SubjectPublicKeyInfo
}

// smallOrder are all encodings of the points of Ed25519 whose order divides 8: eight points, and the other ways to
// write them.
var smallOrder = []string{
	"0100000000000000000000000000000000000000000000000000000000000000",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000080",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	"0100000000000000000000000000000000000000000000000000000000000080",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
}

// smallOrderX are those of X25519 (RFC 7748, section 6.1, and its twist), below 2^255.
var smallOrderX = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}

func weakKeys(t testing.TB) []weakKey {
	t.Helper()
	var list []weakKey
	add := func(name, words string, kind image.Kind, pub crypto.PublicKey) {
		list = append(list, weakKey{name, words, kind, pub, pkix(t, pub)})
	}
	n := readKey(t, "rsa-2048").(*rsa.PublicKey).N
	for _, e := range []int{1, 2, 4, 65536} {
		add("RSA, exponent "+big.NewInt(int64(e)).String(), "RSA with the exponent",
			image.ErrWeakKey, &rsa.PublicKey{N: n, E: e})
	}
	add("RSA, even modulus", "even modulus", image.ErrWeakKey,
		&rsa.PublicKey{N: new(big.Int).Sub(n, big.NewInt(1)), E: 65537})
	for _, bits := range []uint{8, 1024, 2047, 2049, 4096, 1 << 15} {
		odd := new(big.Int).SetBit(big.NewInt(1), int(bits)-1, 1)
		add("RSA, "+big.NewInt(int64(bits)).String()+" bits", "MCUboot knows 2048 and 3072",
			image.ErrBadKey, &rsa.PublicKey{N: odd, E: 65537})
	}
	for _, text := range smallOrder {
		add("Ed25519 "+text, "small order", image.ErrWeakKey, ed25519.PublicKey(unhex(t, text)))
	}
	for low := byte(0xef); low != 0; low++ { // p + 2 to p + 18
		for _, sign := range []byte{0x7f, 0xff} {
			pub := append(append([]byte{low}, bytes.Repeat([]byte{0xff}, 30)...), sign)
			add("Ed25519 "+hex.EncodeToString(pub), "key: Ed25519 with", "", ed25519.PublicKey(pub))
		}
	}
	add("Ed25519 off the curve", "no point of the curve",
		image.ErrBadKey, ed25519.PublicKey(unhex(t, "02"+strings.Repeat("00", 31))))
	for _, text := range smallOrderX {
		pub, err := ecdh.X25519().NewPublicKey(unhex(t, text))
		if err != nil {
			t.Fatal(err)
		}
		add("X25519 "+text, "small order", image.ErrWeakKey, pub)
	}
	return append(list, offCurve(t)...)
}

// offCurve are ECDSA keys whose point is none, which only a file can hold.
func offCurve(t testing.TB) []weakKey {
	t.Helper()
	var list []weakKey
	for _, name := range []string{"ecdsa-p256", "ecdsa-p384"} {
		pub := readKey(t, name).(*ecdsa.PublicKey)
		der, err := pub.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		good := pkix(t, pub)
		head := good[:len(good)-len(der)]
		change := func(what string, point []byte) {
			list = append(list,
				weakKey{name + ", " + what, "public key: ", image.ErrBadKey, nil, append(bytes.Clone(head), point...)})
		}
		beside := bytes.Clone(der)
		beside[len(beside)-1] ^= 1
		change("off the curve", beside)
		change("at 0, 0", append([]byte{4}, make([]byte, len(der)-1)...))
		change("beyond the prime", append([]byte{4}, bytes.Repeat([]byte{0xff}, len(der)-1)...))
		hybrid := bytes.Clone(der)
		hybrid[0] = 6 | der[len(der)-1]&1
		change("in hybrid form", hybrid)
	}
	return list
}

func pkix(t testing.TB, pub crypto.PublicKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestWeakPublicKeys refuses them in every form of file, and as values.
func TestWeakPublicKeys(t *testing.T) {
	m, err := image.Load(readFile(t, "images/ed25519-sha512.bin"))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range weakKeys(t) {
		for form, file := range k.files(t) {
			k.wantRefused(t, form, file)
		}
		if k.public == nil {
			continue
		}
		_, err := key.Hash(k.public, image.TLVSHA256)
		errs := map[string]error{"Hash": err}
		if _, encrypts := k.public.(*ecdh.PublicKey); !encrypts {
			_, errs["Build"] = image.Build([]byte("firmware"), k.public,
				image.BuildOptions{HeaderSize: 32, PadHeader: true})
			errs["Verify"] = m.Verify(k.public)
		}
		for what, err := range errs {
			if !k.fits(t, err) {
				t.Errorf("%s: %s: %v, want %s", k.name, what, err, k.kind)
			}
		}
	}
}

// files are the forms that the key has in files.
func (k weakKey) files(t *testing.T) map[string][]byte {
	t.Helper()
	files := map[string][]byte{"PEM": k.pem(), "DER": k.der, "certificate": certify(t, k)}
	if pub, ok := k.public.(*rsa.PublicKey); ok {
		files["PKCS#1"] = pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(pub)})
	}
	return files
}

func (k weakKey) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: k.der})
}

// wantRefused reads a file with everything that reads public keys.
func (k weakKey) wantRefused(t *testing.T, form string, file []byte) {
	t.Helper()
	_, encrypts := k.public.(*ecdh.PublicKey)
	for reader, read := range map[string]func([]byte) (crypto.PublicKey, error){
		"ParsePublic": key.ParsePublic, "ParseEncryption": key.ParseEncryption,
		"PublicHalf": func(b []byte) (crypto.PublicKey, error) { return key.PublicHalf(b, nil) },
	} {
		want := k
		if encrypts && (reader == "ParsePublic" || form == "certificate") {
			want.words, want.kind = "", image.ErrBadKey // there is no place for such a key, weak or not
		}
		got, err := read(file)
		if !want.fits(t, err) || !strings.Contains(err.Error(), want.words) {
			t.Errorf("%s as %s: %s = %v, %v, want %q (%s)", k.name, form, reader, got, err, want.words, want.kind)
		}
	}
}

// fits reports whether an error is the refusal of this key.
func (k weakKey) fits(t *testing.T, err error) bool {
	t.Helper()
	kind := image.Kind(kindOf(t, err))
	return kind == k.kind || k.kind == "" && (kind == image.ErrBadKey || kind == image.ErrWeakKey)
}

// certify puts a key into a certificate, by replacing another one in it, as nobody sane would sign it. Only the key of
// a certificate counts.
func certify(t testing.TB, k weakKey) []byte {
	t.Helper()
	block, _ := pem.Decode(readFile(t, "../keys/ed25519.crt.pem"))
	var c struct {
		TBS struct {
			Version                              asn1.RawValue
			Serial                               *big.Int
			Algorithm, Issuer, Validity, Subject asn1.RawValue
			Key, Extensions                      asn1.RawValue
		}
		Algorithm, Signature asn1.RawValue
	}
	if _, err := asn1.Unmarshal(block.Bytes, &c); err != nil {
		t.Fatal(err)
	}
	c.TBS.Key = asn1.RawValue{FullBytes: k.der}
	der, err := asn1.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
