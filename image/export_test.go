package image

import "crypto"

// AcceptSignature is what attaching does with a signature from outside.
func AcceptSignature(pub crypto.PublicKey, hash TLVType, pure bool, region, file, sig []byte) ([]byte, error) {
	k, err := newKey(pub)
	if err != nil {
		return nil, err
	}
	return statement{key: k, hash: hash, pure: pure, region: region, digest: hash.sum(region), files: func() [][]byte { return [][]byte{file} }}.accept(sig)
}
