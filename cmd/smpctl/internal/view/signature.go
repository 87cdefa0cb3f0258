package view

import (
	"encoding/hex"

	"github.com/smpctl/smpctl/image"
)

type SignatureEntry struct {
	Type      string `json:"type"`
	KeyHash   string `json:"key_hash,omitempty"`
	PublicKey string `json:"public_key,omitempty"`
	Pure      bool   `json:"pure"`
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
