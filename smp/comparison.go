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

// ErrFileDiffers says that the device's own hash or size of a file is not that of the bytes that were sent or received:
// a file that changed meanwhile, a file system that dropped data, or damage that no checksum of the wire noticed.
var ErrFileDiffers = errors.New("the file on the device differs")

// Comparison is what a transfer of a file was compared by in the end.
type Comparison string

// The ways to compare, best first.
const (
	ComparedSHA256 Comparison = "sha256"
	ComparedCRC32  Comparison = "crc32"
	ComparedSize   Comparison = "size" // the device makes no hashes
	NotCompared    Comparison = ""     // nor does it tell sizes
)

// fileSums makes the hashes that this package knows, while bytes pass.
type fileSums struct {
	sha hash.Hash
	crc hash.Hash32
	n   int64
}

func newFileSums() *fileSums { return &fileSums{sha: sha256.New(), crc: crc32.NewIEEE()} }

// Write never fails.
func (p *fileSums) Write(b []byte) (int, error) {
	p.sha.Write(b)
	p.crc.Write(b)
	p.n += int64(len(b))
	return len(b), nil
}

func fileSumsOf(data []byte) *fileSums {
	p := newFileSums()
	p.Write(data)
	return p
}

// sum gives the hash that a device would make; nil for a type that is not known here.
func (p *fileSums) sum(kind Comparison) []byte {
	switch kind {
	case ComparedSHA256:
		return p.sha.Sum(nil)
	case ComparedCRC32:
		return binary.BigEndian.AppendUint32(nil, p.crc.Sum32())
	}
	return nil
}

// comparer asks one device for fileSums, with the best type that it turns out to have.
type comparer struct {
	g     FSGroup
	kinds []Comparison // that may work, best first
}

// newComparer asks the device what it has. One that does not tell may have both.
func (g FSGroup) newComparer(ctx context.Context) (*comparer, error) {
	p := &comparer{g: g, kinds: []Comparison{ComparedSHA256, ComparedCRC32}}
	types, err := g.HashTypes(ctx)
	var refused *DeviceError
	if errors.As(err, &refused) {
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	p.kinds = nil
	for _, kind := range []Comparison{ComparedSHA256, ComparedCRC32} {
		for _, t := range types {
			if t.Name == string(kind) {
				p.kinds = append(p.kinds, kind)
			}
		}
	}
	return p, nil
}

// equal reports whether the file on the device has these bytes, and how that was found out. With [ComparedSize] and
// [NotCompared] nothing speaks against it, no more. A refusal counts as a type that the device does not have.
func (p *comparer) equal(ctx context.Context, name string, want *fileSums) (bool, Comparison, error) {
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
			return false, NotCompared, err
		case refused.Unsupported():
			p.kinds = nil
		default:
			p.kinds = p.kinds[1:]
		}
	}
	size, err := p.g.Size(ctx, name)
	switch {
	case IsUnsupported(err):
		return true, NotCompared, nil
	case isMissing(err):
		return false, ComparedSize, nil
	}
	return size == want.n, ComparedSize, err
}

// check is equal for the end of a transfer.
func (p *comparer) check(ctx context.Context, command, name string, want *fileSums) (Comparison, error) {
	same, proof, err := p.equal(ctx, name, want)
	if err == nil && !same {
		by := string(proof)
		return proof, fmt.Errorf("%s: %w: its %s is not that of the %d bytes", command, ErrFileDiffers, by, want.n)
	}
	return proof, err
}
