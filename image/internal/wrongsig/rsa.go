package wrongsig

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	_ "crypto/sha1" // to name a mistake, not to accept it
	"encoding/binary"
	"math/big"
)

// explainRSA finds the mistake behind an RSA signature. Unlike the other schemes
// the public key opens the signature, so that its padding and the hash in it can be
// looked at.
func (s Signed) explainRSA(pub *rsa.PublicKey, sig []byte) *Fault {
	em, ok := openRSA(pub, sig)
	switch {
	case ok && bytes.HasPrefix(em, []byte{0, 1, 0xff, 0xff, 0xff, 0xff}):
		return fault(PKCS1, "has PKCS#1 v1.5 padding, MCUboot wants RSA-PSS with SHA-256 and a salt of 32 bytes")
	case ok && em[len(em)-1] == 0xbc:
		return s.explainPSS(em)
	}
	return s.otherKey()
}

func (s Signed) otherKey() *Fault {
	return fault(Key, "is by another key than %s (%s)", s.keyID(), s.Key.Kind)
}

// openRSA applies the public key to a signature. The result is as long as the
// modulus; a signature that is not below it is by a larger key.
func openRSA(pub *rsa.PublicKey, sig []byte) ([]byte, bool) {
	n := new(big.Int).SetBytes(sig)
	if n.Cmp(pub.N) >= 0 || pub.E < 2 {
		return nil, false
	}
	n.Exp(n, big.NewInt(int64(pub.E)), pub.N)
	return n.FillBytes(make([]byte, pub.Size())), true
}

// explainPSS names the parameter that is wrong, or the data.
func (s Signed) explainPSS(em []byte) *Fault {
	hashes := []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA1}
	structured, mistakes := false, s.mistakes()
	for _, hash := range hashes {
		for _, mgf := range hashes {
			salt, h, ok := openPSS(em, hash, mgf)
			if !ok {
				continue
			}
			structured = true
			if f := s.explainOpened(hash, mgf, salt, h, mistakes); f != nil {
				return f
			}
		}
	}
	if structured {
		return fault(Data, "is by the right key, but for another image or build of it")
	}
	return s.otherKey()
}

// explainOpened says what is wrong with a PSS signature of which salt and hash are
// known; nil if they fit nothing.
func (s Signed) explainOpened(hash, mgf crypto.Hash, salt, h []byte, mistakes []mistake) *Fault {
	fits := func(message []byte) bool {
		return len(message) == hash.Size() && bytes.Equal(pssHash(hash, message, salt), h)
	}
	region := sum(hash, s.Region)
	switch {
	case hash != crypto.SHA256 && fits(region):
		return fault(Hash, "is over the %s of the image, not over the SHA-256 that goes with RSA", hash)
	case mgf != crypto.SHA256 && fits(region):
		return fault(MGF, "RSA-PSS with MGF1 on %s, MCUboot wants MGF1 on SHA-256", mgf)
	case len(salt) != 32 && fits(region):
		return fault(Salt, "RSA-PSS with a salt of %d bytes, MCUboot wants 32: set the salt to the length of the hash",
			len(salt))
	}
	for _, m := range mistakes {
		if fits(m.message) {
			return m.fault
		}
	}
	return nil
}

// openPSS takes an encoded message apart (RFC 8017, 9.1.2). The bits that the
// modulus leaves out are zero, as both lengths of MCUboot are multiples of 8. With
// the wrong hashes the padding before the salt is not what it should be.
func openPSS(em []byte, hash, mgf crypto.Hash) (salt, h []byte, ok bool) {
	split := len(em) - hash.Size() - 1
	db, h := bytes.Clone(em[:split]), em[split:len(em)-1]
	for i, b := range mgf1(mgf, h, len(db)) {
		db[i] ^= b
	}
	db[0] &= 0x7f
	padding := bytes.IndexByte(db, 1)
	if padding < 0 || len(bytes.Trim(db[:padding], "\x00")) != 0 {
		return nil, nil, false
	}
	return db[padding+1:], h, true
}

// pssHash is the hash in an encoded message (RFC 8017, 9.1.1, step 6).
func pssHash(hash crypto.Hash, message, salt []byte) []byte {
	b := append(make([]byte, 8), message...)
	return sum(hash, append(b, salt...))
}

// mgf1 is the mask of n bytes (RFC 8017, B.2.1).
func mgf1(hash crypto.Hash, seed []byte, n int) []byte {
	var mask []byte
	for i := uint32(0); len(mask) < n; i++ {
		mask = append(mask, sum(hash, binary.BigEndian.AppendUint32(bytes.Clone(seed), i))...)
	}
	return mask[:n]
}
