package dfu_test

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"sync"

	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp/sim"
)

// stamp is what a crossed image is made of.
type stamp struct {
	major  uint8 // version; the virtual device's own images have 1
	number int
	key    keyKind
	ram    bool
}

// stamped keeps images that were made, for signing takes longer than an update on fake time.
var stamped sync.Map

// imageOf makes an image, the same one each time.
func imageOf(s stamp) *image.Image {
	if m, ok := stamped.Load(s); ok {
		return m.(*image.Image)
	}
	m, err := s.make()
	if err != nil {
		panic(fmt.Sprint("crossed: ", err))
	}
	stamped.Store(s, m)
	return m
}

// bodySize is more than two packets of the crossed devices, and more than a sector: MCUboot's swap with an offset does
// not survive every power cut if the images have only one.
const bodySize = 4500

func (s stamp) make() (*image.Image, error) {
	o := image.BuildOptions{Version: image.Version{Major: s.major}, PadHeader: true}
	if s.ram {
		o.LoadAddr = 0x2000_0000 + uint32(s.number)<<16
	}
	body := bytes.Repeat([]byte{s.major, byte(s.number), 0x42}, bodySize/3)
	if s.key == "none" {
		u, err := image.Build(body, nil, o)
		if err != nil {
			return nil, err
		}
		b, err := u.Attach(nil)
		if err != nil {
			return nil, err
		}
		return image.Parse(b)
	}
	key := signer(s.key)
	u, err := image.Build(body, key.Public(), o)
	if err != nil {
		return nil, err
	}
	b, err := image.Sign(u, key, nil)
	if err != nil {
		return nil, err
	}
	return image.Parse(b)
}

// signer is the key of the crossed devices, or a wrong one.
func signer(k keyKind) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte(k)[:1], ed25519.SeedSize))
}

// target is the file that the update brings for an image, and other another one of a higher version.
func (c crossing) file(number int) *image.Image {
	s := stamp{major: 2, number: number, key: c.key, ram: c.boot == sim.RAMLoad}
	if c.lower() {
		s.major = 0
	}
	return imageOf(s)
}

// other is a sound image that has nothing to do with the update.
func (c crossing) other(number int) *image.Image {
	s := stamp{major: 3, number: number, key: c.key, ram: c.boot == sim.RAMLoad}
	if s.key == "wrong" {
		s.key = "right"
	}
	return imageOf(s)
}
