package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"math/big"

	"github.com/miekg/pkcs11"
)

// privateKey is a key in the token with what the token says about it.
type privateKey struct {
	handle pkcs11.ObjectHandle
	label  string
	id     []byte
}

func (k privateKey) String() string {
	if len(k.id) == 0 {
		return fmt.Sprintf("%q", k.label)
	}
	return fmt.Sprintf("%q (id %s)", k.label, hex.EncodeToString(k.id))
}

// findKey returns the one private key that the request means.
func (s *session) findKey(r request) (privateKey, error) {
	all, err := s.privateKeys()
	if err != nil {
		return privateKey{}, err
	}
	var found []privateKey
	var present, matching []string
	for _, k := range all {
		present = append(present, k.String())
		if (r.Object == "" || r.Object == k.label) && (len(r.ID) == 0 || bytes.Equal(r.ID, k.id)) {
			found = append(found, k)
			matching = append(matching, k.String())
		}
	}
	switch {
	case len(all) == 0:
		return privateKey{}, fail("object-not-found", "token %q: has no private key", s.token)
	case len(found) == 0:
		return privateKey{}, fail("object-not-found", "token %q: no private key with %s: there is %s",
			s.token, r.keyName(), list(present))
	case len(found) > 1 && r.keyName() == "":
		return privateKey{}, fail("object-ambiguous", "token %q: has %d private keys, and none is named: %s",
			s.token, len(found), list(matching))
	case len(found) > 1:
		return privateKey{}, fail("object-ambiguous", "token %q: %d private keys with %s: %s",
			s.token, len(found), r.keyName(), list(matching))
	}
	return found[0], nil
}

// keyName is how the request names its key, empty if it does not.
func (r request) keyName() string {
	switch {
	case r.Object != "" && len(r.ID) > 0:
		return fmt.Sprintf("object=%q id=%x", r.Object, r.ID)
	case r.Object != "":
		return fmt.Sprintf("object=%q", r.Object)
	case len(r.ID) > 0:
		return fmt.Sprintf("id=%x", r.ID)
	}
	return ""
}

func (s *session) privateKeys() ([]privateKey, error) {
	handles, err := s.objects([]*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY)})
	if err != nil {
		return nil, err
	}
	var keys []privateKey
	for _, h := range handles {
		keys = append(keys, privateKey{h, string(s.attribute(h, pkcs11.CKA_LABEL)), s.attribute(h, pkcs11.CKA_ID)})
	}
	return keys, nil
}

// maxObjects bounds what is taken from a token that lists without end.
const maxObjects = 4096

func (s *session) objects(template []*pkcs11.Attribute) ([]pkcs11.ObjectHandle, error) {
	if err := s.module.FindObjectsInit(s.handle, template); err != nil {
		return nil, failed("token", err, "token %q: does not list its objects", s.token)
	}
	defer s.module.FindObjectsFinal(s.handle)
	var all []pkcs11.ObjectHandle
	for len(all) < maxObjects {
		some, _, err := s.module.FindObjects(s.handle, 64)
		if err != nil {
			return nil, failed("token", err, "token %q: does not list its objects", s.token)
		}
		if len(some) == 0 {
			break
		}
		all = append(all, some...)
	}
	return all, nil
}

// attribute reads one attribute; nil if the object does not have or show it.
func (s *session) attribute(h pkcs11.ObjectHandle, kind uint) []byte {
	list, err := s.module.GetAttributeValue(s.handle, h, []*pkcs11.Attribute{pkcs11.NewAttribute(kind, nil)})
	if err != nil || len(list) != 1 {
		return nil
	}
	return list[0].Value
}

// compare refuses a key of which the token knows another public half than the expected one. A token that knows none
// leaves it to smpctl, which verifies the signature.
func (s *session) compare(k privateKey, want crypto.PublicKey) error {
	known := s.publicHalves(k)
	for _, pub := range known {
		if pub.Equal(want) {
			return nil
		}
	}
	if len(known) == 0 {
		return nil
	}
	der, err := x509.MarshalPKIXPublicKey(known[0])
	if err != nil {
		der = nil
	}
	return &failure{
		Reason: "key-mismatch", PublicKey: der,
		Message: fmt.Sprintf("token %q: key %s is not the private half of the given public key", s.token, k),
	}
}

// publicHalf is what every public key of the standard library is.
type publicHalf interface{ Equal(crypto.PublicKey) bool }

// publicHalves collects what the token says the public half is: the private key's own word, public key objects and
// certificates with the same id or, without ids, the same label.
func (s *session) publicHalves(k privateKey) []publicHalf {
	var list []publicHalf
	add := func(pub any) {
		if c, ok := pub.(publicHalf); ok {
			list = append(list, c)
		}
	}
	add(s.publicKey(k.handle))
	same := pkcs11.NewAttribute(pkcs11.CKA_ID, k.id)
	if len(k.id) == 0 {
		same = pkcs11.NewAttribute(pkcs11.CKA_LABEL, k.label)
	}
	for _, class := range []uint{pkcs11.CKO_PUBLIC_KEY, pkcs11.CKO_CERTIFICATE} {
		handles, err := s.objects([]*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_CLASS, class), same})
		if err != nil {
			continue
		}
		for _, h := range handles {
			if class == pkcs11.CKO_PUBLIC_KEY {
				add(s.publicKey(h))
			} else if cert, err := x509.ParseCertificate(s.attribute(h, pkcs11.CKA_VALUE)); err == nil {
				add(cert.PublicKey)
			}
		}
	}
	return list
}

// publicKey reads the public half from the attributes of a key, nil if they do not say.
func (s *session) publicKey(h pkcs11.ObjectHandle) any {
	if pub, err := x509.ParsePKIXPublicKey(s.attribute(h, pkcs11.CKA_PUBLIC_KEY_INFO)); err == nil {
		return pub
	}
	if n, e := s.attribute(h, pkcs11.CKA_MODULUS), s.attribute(h, pkcs11.CKA_PUBLIC_EXPONENT); len(n) > 0 &&
		len(e) > 0 && len(e) <= 4 {
		return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
	}
	return parsePoint(s.attribute(h, pkcs11.CKA_EC_POINT))
}

// parsePoint reads CKA_EC_POINT, by its length: wrapped in an OCTET STRING as the standard says, or bare as some
// modules have it.
func parsePoint(b []byte) any {
	if len(b) > 2 && b[0] == 0x04 && int(b[1]) == len(b)-2 {
		b = b[2:]
	}
	curves := map[int]elliptic.Curve{65: elliptic.P256(), 97: elliptic.P384()}
	if curve, ok := curves[len(b)]; ok {
		if pub, err := ecdsa.ParseUncompressedPublicKey(curve, b); err == nil {
			return pub
		}
	}
	if len(b) == ed25519.PublicKeySize {
		return ed25519.PublicKey(b)
	}
	return nil
}
