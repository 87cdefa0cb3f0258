package view

import (
	"encoding/hex"

	"github.com/smpctl/smpctl/image"
)

// SignatureEntry is a signature of an image, and by what the image names its key.
type SignatureEntry struct {
	Type      string `json:"type"` // algorithm, by MCUboot's name
	KeyHash   string `json:"key_hash,omitempty"`
	PublicKey string `json:"public_key,omitempty"` // the key itself, in hexadecimal digits, where the image carries it
	Pure      bool   `json:"pure"`                 // it covers the image instead of its hash
}

func NewSignatureEntry(s image.Signature) SignatureEntry {
	e := SignatureEntry{Type: s.Type.String(), Pure: s.Pure}
	switch s.Key.Type {
	case image.TLVKeyHash:
		e.KeyHash = hex.EncodeToString(s.Key.Value)
	case image.TLVPubKey:
		e.PublicKey = hex.EncodeToString(s.Key.Value)
	}
	return e
}

func (s SignatureEntry) Describe() string {
	text := s.Type
	if s.Pure {
		text += " over the image itself"
	}
	switch {
	case s.KeyHash != "":
		text += ", key hash " + s.KeyHash
	case s.PublicKey != "":
		text += ", with its public key in the file"
	default:
		text += ", without a word on the key"
	}
	return text
}
