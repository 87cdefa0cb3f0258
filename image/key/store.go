package key

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/smpctl/smpctl/image"
)

// Store is a set of places for public keys in the hardware of a Nordic SoC: the
// KMU of the nRF54L series, or the internal trusted storage of the nRF54H20
// (nRF Connect SDK, west ncs-provision).
type Store struct {
	name     string
	location uint32   // the upper bytes of a PSA key lifetime
	ids      []uint32 // PSA key identifiers, one for each key
	open     uint32   // the persistence of a key that can be revoked
	lock     string   // lock, lock-last or none of both
}

// PSA key persistences, the lowest byte of a key lifetime.
const (
	persistDefault   = 1
	persistRevokable = 2
	persistReadOnly  = 3
)

// kmuSlots are the first KMU slots of the keys of each name. A key fills two.
var kmuSlots = map[string]uint32{"UROT_PUBKEY": 226, "BL_PUBKEY": 242, "APP_PUBKEY": 202}

// kmuSoCs are the SoCs with a KMU that takes public keys.
var kmuSoCs = []string{"nrf54l05", "nrf54l10", "nrf54l15", "nrf54lm20a", "nrf54lm20b", "nrf54lv10a"}

// NewStore says where keys go: on which SoC (nrf54l05, nrf54l10, nrf54l15,
// nrf54lm20a, nrf54lm20b, nrf54lv10a, nrf54h20), under which name (UROT_PUBKEY,
// BL_PUBKEY, APP_PUBKEY), and whether the SoC keeps them for good (revokable, lock,
// lock-last: the last key only). The nRF54H20 has BL_PUBKEY and revokable alone. A
// locked key goes with an erase of the whole chip only. Anything else is an
// [image.ErrBadOption].
func NewStore(soc, name, policy string) (*Store, error) {
	first, known := kmuSlots[name]
	switch {
	case !known:
		return nil, fail(image.ErrBadOption, "key name %.40q: want UROT_PUBKEY, BL_PUBKEY or APP_PUBKEY", name)
	case policy != "revokable" && policy != "lock" && policy != "lock-last":
		return nil, fail(image.ErrBadOption, "key policy %.40q: want revokable, lock or lock-last", policy)
	case slices.Contains(kmuSoCs, soc):
		return newKMU(name, first, policy), nil
	case soc != "nrf54h20":
		return nil, fail(image.ErrBadOption, "soc %.40q: want one of %s, nrf54h20", soc, strings.Join(kmuSoCs, ", "))
	case name != "BL_PUBKEY":
		return nil, fail(image.ErrBadOption, "key name %s: the nrf54h20 has a place for BL_PUBKEY only", name)
	case policy != "revokable":
		return nil, fail(image.ErrBadOption, "key policy %s: the nrf54h20 cannot lock keys", policy)
	}
	return &Store{name: name, ids: []uint32{0x40022100, 0x40022101, 0x40022102, 0x40022103}, open: persistDefault}, nil
}

func newKMU(name string, slot uint32, policy string) *Store {
	const raw = 3 << 12 // CRACEN takes the key as it is stored
	s := &Store{name: name, location: 0x804E4B00, open: persistRevokable, lock: policy}
	for i := range uint32(3) {
		s.ids = append(s.ids, 0x7FFF0000|raw|(slot+2*i))
	}
	return s
}

// provisioning is the file that nrfutil device x-provision-keys takes.
type provisioning struct {
	Version  int           `json:"version"`
	KeySlots []provisioned `json:"keyslots"`
}

// provisioned is a key of the file. Both are hexadecimal behind 0x.
type provisioned struct {
	Metadata string `json:"metadata"` // keyAttributes
	Value    string `json:"value"`    // or TRNG:N for N random bytes
}

// keyAttributes are the attributes of a key in the store, little endian
// (nRF Connect SDK, generate_psa_key_attributes.py).
type keyAttributes struct {
	Type      uint16
	Bits      uint16
	Lifetime  uint32
	Usage     uint32
	Algorithm uint32
	_         uint32 // a second algorithm
	ID        uint32
	_         uint32
}

// Provision returns the file that puts Ed25519 public keys into the store, in the
// JSON that nrfutil takes. A KMU has places for three keys of a name, the nRF54H20
// for four. If file is not nil, they go behind the keys in it; then a place that is
// taken, or a file of another format, is an [ErrBadStore].
func (s *Store) Provision(file []byte, keys []crypto.PublicKey) ([]byte, error) {
	p, taken, err := parseProvisioning(file)
	if err != nil {
		return nil, err
	}
	if len(keys) < 1 || len(keys) > len(s.ids) {
		return nil, fail(image.ErrBadOption, "%d keys: %s has places for 1 to %d", len(keys), s.name, len(s.ids))
	}
	for i, pub := range keys {
		key, ok := pub.(ed25519.PublicKey)
		if !ok || len(key) != ed25519.PublicKeySize {
			return nil, fail(image.ErrBadKey, "key %d: %s takes Ed25519 keys only", i+1, s.name)
		}
		if slices.Contains(taken, s.ids[i]) {
			return nil, fail(ErrBadStore, "key %d: the file has a key for place %d of %s already", i+1, i+1, s.name)
		}
		p.KeySlots = append(p.KeySlots, provisioned{s.metadata(i, len(keys)), "0x" + hex.EncodeToString(key)})
	}
	text, err := json.MarshalIndent(p, "", "    ")
	if err != nil {
		panic("key: " + err.Error()) // numbers and strings always encode
	}
	return text, nil
}

// metadata are the attributes of key i of n.
func (s *Store) metadata(i, n int) string {
	persistence := s.open
	if s.lock == "lock" || s.lock == "lock-last" && i == n-1 {
		persistence = persistReadOnly
	}
	var b bytes.Buffer
	_ = binary.Write(&b, binary.LittleEndian, keyAttributes{
		Type:      0x4142, // an ECC public key on a twisted Edwards curve
		Bits:      255,
		Lifetime:  s.location | persistence,
		Usage:     0x2800,     // verify hashes and messages
		Algorithm: 0x06000800, // pure EdDSA
		ID:        s.ids[i],
	})
	return fmt.Sprintf("0x%X", b.Bytes())
}

// parseProvisioning reads a file to which keys are added, and the identifiers of
// the keys in it.
func parseProvisioning(file []byte) (provisioning, []uint32, error) {
	p := provisioning{KeySlots: []provisioned{}}
	if file == nil {
		return p, nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(file))
	d.DisallowUnknownFields() // what is not understood would be lost
	if err := d.Decode(&p); err != nil {
		return p, nil, fail(ErrBadStore, "not a provisioning file: %v", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return p, nil, fail(ErrBadStore, "not a provisioning file: something stands behind its end")
	}
	if p.Version != 0 {
		return p, nil, fail(ErrBadStore, "not a provisioning file: version %d, want 0", p.Version)
	}
	var ids []uint32
	for i, slot := range p.KeySlots {
		var a keyAttributes
		digits, found := strings.CutPrefix(slot.Metadata, "0x")
		raw, err := hex.DecodeString(digits)
		if !found || err != nil || len(raw) != binary.Size(a) {
			return p, nil, fail(ErrBadStore,
				"not a provisioning file: the metadata of key %d are not %d bytes in hexadecimal", i+1, binary.Size(a))
		}
		_, _ = binary.Decode(raw, binary.LittleEndian, &a)
		ids = append(ids, a.ID)
	}
	return p, ids, nil
}
