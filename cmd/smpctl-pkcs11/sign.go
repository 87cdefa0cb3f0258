package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"fmt"

	"github.com/miekg/pkcs11"
)

const (
	ckmEdDSA   = 0x1057 // PKCS#11 3.0, 2.3.14: newer than the binding's table
	saltLength = 32     // what MCUboot verifies

)

// sign finds the key, makes sure that it is the expected one, and signs. An ECDSA signature is r and s, one behind the
// other.
func (s *session) sign(r request) ([]byte, error) {
	want, err := x509.ParsePKIXPublicKey(r.PublicKey)
	if err != nil {
		return nil, fail("protocol", "not a public key: %v", err)
	}
	mechanism, err := r.mechanism(want)
	if err != nil {
		return nil, err
	}
	key, err := s.findKey(r)
	if err != nil {
		return nil, err
	}
	if err := s.compare(key, want); err != nil {
		return nil, err
	}
	if err := s.module.SignInit(s.handle, []*pkcs11.Mechanism{mechanism}, key.handle); err != nil {
		return nil, s.explain(err, key)
	}
	if err := s.loginAgain(key); err != nil {
		return nil, err
	}
	// In one call: modules do not take an EdDSA message in parts.
	signature, err := s.module.Sign(s.handle, r.Data)
	if err != nil {
		return nil, s.explain(err, key)
	}
	return signature, nil
}

// mechanism is how a key of this kind signs for MCUboot.
func (r request) mechanism(pub crypto.PublicKey) (*pkcs11.Mechanism, error) {
	payload := r.Input == "payload"
	switch pub.(type) {
	case *rsa.PublicKey:
		parameters := pkcs11.NewPSSParams(pkcs11.CKM_SHA256, pkcs11.CKG_MGF1_SHA256, saltLength)
		if payload {
			return pkcs11.NewMechanism(pkcs11.CKM_SHA256_RSA_PKCS_PSS, parameters), nil
		}
		return pkcs11.NewMechanism(pkcs11.CKM_RSA_PKCS_PSS, parameters), nil
	case *ecdsa.PublicKey:
		switch {
		case payload && r.Hash == "sha384":
			return pkcs11.NewMechanism(pkcs11.CKM_ECDSA_SHA384, nil), nil
		case payload:
			return pkcs11.NewMechanism(pkcs11.CKM_ECDSA_SHA256, nil), nil
		}
		return pkcs11.NewMechanism(pkcs11.CKM_ECDSA, nil), nil
	case ed25519.PublicKey:
		return pkcs11.NewMechanism(ckmEdDSA, nil), nil
	}
	return nil, fail("protocol", "not a kind of key that MCUboot knows: %T", pub)
}

// loginAgain shows the PIN once more to a key that wants it before every signature.
func (s *session) loginAgain(key privateKey) error {
	if b := s.attribute(key.handle, pkcs11.CKA_ALWAYS_AUTHENTICATE); len(b) != 1 || b[0] == 0 {
		return nil
	}
	if err := s.module.Login(s.handle, pkcs11.CKU_CONTEXT_SPECIFIC, s.pin); err != nil {
		return failed("login", err, "token %q: key %s wants the PIN before every signature, and refused it",
			s.token, key)
	}
	return nil
}

// explain says why a token did not sign.
func (s *session) explain(err error, key privateKey) error {
	name := fmt.Sprintf("token %q: key %s", s.token, key)
	switch {
	case is(err, pkcs11.CKR_KEY_FUNCTION_NOT_PERMITTED):
		return failed("sign", err, "%s: may not sign", name)
	case is(err, pkcs11.CKR_MECHANISM_INVALID, pkcs11.CKR_MECHANISM_PARAM_INVALID):
		return failed("sign", err, "%s: the module does not know the kind of signature that MCUboot wants of it", name)
	case is(err, pkcs11.CKR_KEY_TYPE_INCONSISTENT, pkcs11.CKR_KEY_HANDLE_INVALID):
		return failed("key-mismatch", err, "%s: is of another kind than the given public key", name)
	case is(err, pkcs11.CKR_DATA_LEN_RANGE):
		return failed("sign", err,
			"%s: does not take data of this length: is it of another kind or size than the given public key?", name)
	}
	return failed("sign", err, "%s: did not sign", name)
}
