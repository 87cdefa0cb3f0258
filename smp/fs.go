package smp

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/fxamacker/cbor/v2"
)

// FSGroup holds the commands of the file system group (Zephyr smp_group_8.rst). Use it as a field of a [Client]. Names
// of files are paths on the device that begin with a mount point, such as "/lfs1/notes.txt"; Zephyr takes 64 bytes of
// them by default. Every method waits for the device and returns a *[DeviceError] when the device refuses.
type FSGroup struct{ c *Client }

type fileRequest struct {
	Name string `cbor:"name"`
}

type sizeReply struct {
	Length *uint64 `cbor:"len"`
}

// Size asks how many bytes a file has. A file that is being written may show an older size until [FSGroup.Close].
func (g FSGroup) Size(ctx context.Context, name string) (int64, error) {
	if err := checkName(fsSize.name, name); err != nil {
		return 0, err
	}
	r, err := fsSize.do(ctx, g.c, fileRequest{name})
	if err != nil {
		return 0, err
	}
	if r.Length == nil || *r.Length > math.MaxInt64 {
		return 0, protocolError(fsSize.name, "no usable size in it")
	}
	return int64(*r.Length), nil
}

// Close makes the device close the file that an upload or download left open, and so write what it holds back. Without
// one nothing happens; Zephyr closes files itself after some seconds without a request for them.
func (g FSGroup) Close(ctx context.Context) error {
	_, err := fsClose.do(ctx, g.c, none{})
	return err
}

// HashType is a hash or checksum that a device can make of a file.
type HashType struct {
	Name   string // as [FileHash] takes it, such as "sha256" or "crc32"
	Size   int    // bytes
	Number bool   // the device gives it as a number, not as bytes
}

type hashTypesReply struct {
	Types map[string]struct {
		Format uint64 `cbor:"format"`
		Size   uint64 `cbor:"size"`
	} `cbor:"types"`
}

// HashTypes asks which hashes and checksums the device can make, in the order of their names. Firmware may lack this
// command and still have hashes.
func (g FSGroup) HashTypes(ctx context.Context) ([]HashType, error) {
	r, err := fsHashTypes.do(ctx, g.c, none{})
	if err != nil {
		return nil, err
	}
	types := make([]HashType, 0, len(r.Types))
	for name, t := range r.Types {
		types = append(types, HashType{Name: name, Size: int(min(t.Size, math.MaxInt32)), Number: t.Format == 0})
	}
	slices.SortFunc(types, func(a, b HashType) int { return cmp.Compare(a.Name, b.Name) })
	return types, nil
}

// FileHash says what [FSGroup.Hash] is about. The zero value means the whole file and the device's favourite type.
type FileHash struct {
	Type   string // name of a [HashType]; empty lets the device choose
	Offset int64  // first byte
	Length int64  // bytes; 0 means all up to the end
}

// FileSum is a hash or checksum of a file.
type FileSum struct {
	Type   string
	Offset int64  // first byte that it covers
	Length int64  // bytes that it covers
	Sum    []byte // a number is in 4 bytes, 8 if it needs them, most significant first
}

type hashRequest struct {
	Name   string `cbor:"name"`
	Type   string `cbor:"type,omitempty"`
	Offset uint64 `cbor:"off,omitempty"`
	Length uint64 `cbor:"len,omitempty"`
}

type hashReply struct {
	Type   string          `cbor:"type"`
	Offset uint64          `cbor:"off"`
	Length uint64          `cbor:"len"`
	Output cbor.RawMessage `cbor:"output"`
}

// Hash asks for the hash or checksum of a file. It may take the device long, for it reads all of it. Zephyr makes none
// of an empty file.
func (g FSGroup) Hash(ctx context.Context, name string, o FileHash) (FileSum, error) {
	if err := checkName(fsHash.name, name); err != nil {
		return FileSum{}, err
	}
	if o.Offset < 0 || o.Length < 0 {
		return FileSum{}, fmt.Errorf("%s: %d bytes at %d", fsHash.name, o.Length, o.Offset)
	}
	r, err := fsHash.do(ctx, g.c, hashRequest{name, o.Type, uint64(o.Offset), uint64(o.Length)})
	if err != nil {
		return FileSum{}, err
	}
	return r.sum()
}

// maxSum is more bytes than any known hash has.
const maxSum = 64

func (r hashReply) sum() (FileSum, error) {
	if r.Length > math.MaxInt64 || r.Offset > math.MaxInt64 {
		return FileSum{}, protocolError(fsHash.name, "it covers more than a file can have")
	}
	s := FileSum{Type: r.Type, Offset: int64(r.Offset), Length: int64(r.Length)}
	if len(r.Output) > 0 && r.Output[0]>>5 == 2 {
		if err := decMode.Unmarshal(r.Output, &s.Sum); err != nil || len(s.Sum) == 0 || len(s.Sum) > maxSum {
			return FileSum{}, protocolError(fsHash.name, "no usable hash in it")
		}
		return s, nil
	}
	var n uint64
	if err := decMode.Unmarshal(r.Output, &n); err != nil {
		return FileSum{}, protocolError(fsHash.name, "no usable hash in it")
	}
	s.Sum = binary.BigEndian.AppendUint64(nil, n)
	if n <= math.MaxUint32 {
		s.Sum = s.Sum[4:]
	}
	return s, nil
}

// checkName refuses what a device would take for another name: it reads up to the first NUL.
func checkName(command, name string) error {
	if name == "" || strings.ContainsRune(name, 0) {
		return fmt.Errorf("%s: %q is no name of a file", command, name)
	}
	return nil
}

// refusedAs reports whether err is the refusal of the file system group with one of these codes, in the shape of
// version 2.
func refusedAs(err error, codes ...int) bool {
	var d *DeviceError
	return errors.As(err, &d) && !d.Global && d.Group == GroupFS && slices.Contains(codes, d.Code)
}

// isMissing reports whether err says that there is no such file, in either version.
func isMissing(err error) bool {
	var d *DeviceError
	return refusedAs(err, fsNotFound) || errors.As(err, &d) && d.Global && d.Code == rcNoEntry
}

// closeAny closes what is open. Servers without the command, from before Zephyr 3.5, keep no file open, and know an
// upload in progress but cannot append to a file that is there; appends says that this one can.
func (g FSGroup) closeAny(ctx context.Context) (appends bool, err error) {
	err = g.Close(ctx)
	if IsUnsupported(err) {
		return false, nil
	}
	return err == nil, err
}
