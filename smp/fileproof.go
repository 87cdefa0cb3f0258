package smp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
)

// ErrFileDiffers says that the device's own hash or size of a file is not that of the bytes that were sent or received: a file that
// changed meanwhile, a file system that dropped data, or damage that no checksum of the wire noticed.
var ErrFileDiffers = errors.New("the file on the device differs")

// Proof is what a transfer of a file was compared by in the end.
type Proof string

// The proofs, best first.
const (
	ProofSHA256 Proof = "sha256"
	ProofCRC32  Proof = "crc32"
	ProofSize   Proof = "size" // the device makes no hashes
	ProofNone   Proof = ""     // nor does it tell sizes
)

// proofs makes the hashes that this package knows, while bytes pass.
type proofs struct {
	sha hash.Hash
	crc hash.Hash32
	n   int64
}

func newProofs() *proofs { return &proofs{sha: sha256.New(), crc: crc32.NewIEEE()} }

// Write never fails.
func (p *proofs) Write(b []byte) (int, error) {
	p.sha.Write(b)
	p.crc.Write(b)
	p.n += int64(len(b))
	return len(b), nil
}

func proofsOf(data []byte) *proofs {
	p := newProofs()
	p.Write(data)
	return p
}

// sum gives the hash that a device would make; nil for a type that is not known here.
func (p *proofs) sum(kind Proof) []byte {
	switch kind {
	case ProofSHA256:
		return p.sha.Sum(nil)
	case ProofCRC32:
		return binary.BigEndian.AppendUint32(nil, p.crc.Sum32())
	}
	return nil
}

// prover asks one device for proofs, with the best type that it turns out to have.
type prover struct {
	g     FSGroup
	kinds []Proof // that may work, best first
}

// newProver asks the device what it has. One that does not tell may have both.
func (g FSGroup) newProver(ctx context.Context) (*prover, error) {
	p := &prover{g: g, kinds: []Proof{ProofSHA256, ProofCRC32}}
	types, err := g.HashTypes(ctx)
	var refused *DeviceError
	if errors.As(err, &refused) {
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	p.kinds = nil
	for _, kind := range []Proof{ProofSHA256, ProofCRC32} {
		for _, t := range types {
			if t.Name == string(kind) {
				p.kinds = append(p.kinds, kind)
			}
		}
	}
	return p, nil
}

// equal reports whether the file on the device has these bytes, and how that was found out. With [ProofSize] and [ProofNone] nothing
// speaks against it, no more. A refusal counts as a type that the device does not have.
func (p *prover) equal(ctx context.Context, name string, want *proofs) (bool, Proof, error) {
	for want.n > 0 && len(p.kinds) > 0 {
		kind := p.kinds[0]
		sum, err := p.g.Hash(ctx, name, FileHash{Type: string(kind)})
		var refused *DeviceError
		switch {
		case err == nil:
			return sum.Length == want.n && bytes.Equal(sum.Sum, want.sum(kind)), kind, nil
		case isMissing(err) || refusedAs(err, fsFileEmpty):
			return false, kind, nil
		case !errors.As(err, &refused):
			return false, ProofNone, err
		case refused.Unsupported():
			p.kinds = nil
		default:
			p.kinds = p.kinds[1:]
		}
	}
	size, err := p.g.Size(ctx, name)
	switch {
	case IsUnsupported(err):
		return true, ProofNone, nil
	case isMissing(err):
		return false, ProofSize, nil
	}
	return size == want.n, ProofSize, err
}

// check is equal for the end of a transfer.
func (p *prover) check(ctx context.Context, command, name string, want *proofs) (Proof, error) {
	same, proof, err := p.equal(ctx, name, want)
	if err == nil && !same {
		by := string(proof)
		return proof, fmt.Errorf("%s: %w: its %s is not that of the %d bytes", command, ErrFileDiffers, by, want.n)
	}
	return proof, err
}
