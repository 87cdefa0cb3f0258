package image

import (
	"crypto/ecdsa"
	"fmt"
	"math/big"
	"strings"
)

// possibleKeys says by which keys a signature over the hash is, if it is over it at
// all: an ECDSA signature fits two keys in practice, and tells both (SEC 1, 4.1.6).
// Their hashes are as the image would name them. It is "" for other signatures.
func (s statement) possibleKeys(sig []byte) string {
	pub, ok := s.key.public.(*ecdsa.PublicKey)
	if !ok {
		return ""
	}
	r, t, ok := splitDER(sig)
	if !ok {
		return ""
	}
	c := curve{pub.Params().P, pub.Params().N, pub.Params().B}
	base := point{pub.Params().Gx, pub.Params().Gy}
	x, digest := new(big.Int).SetBytes(r), new(big.Int).SetBytes(s.message())
	var names []string
	for _, R := range c.lift(x) {
		// key = (s·R − digest·G) / r
		inverse := new(big.Int).ModInverse(x, c.n)
		if inverse == nil {
			return ""
		}
		a := new(big.Int).Mul(new(big.Int).SetBytes(t), inverse)
		b := new(big.Int).Mul(digest.Neg(digest), inverse)
		digest.Neg(digest)
		sum := c.add(c.mul(R, a.Mod(a, c.n)), c.mul(base, b.Mod(b, c.n)))
		if name := s.keyName(pub, sum); name != "" {
			names = append(names, name)
		}
	}
	return strings.Join(names, " or ")
}

// keyName names a point as a public key: by its hash, or as one of MCUboot's sample
// keys.
func (s statement) keyName(like *ecdsa.PublicKey, p point) string {
	if p.x == nil {
		return ""
	}
	size := s.key.scalarSize()
	b := append([]byte{4}, p.x.FillBytes(make([]byte, size))...)
	pub, err := ecdsa.ParseUncompressedPublicKey(like.Curve, append(b, p.y.FillBytes(make([]byte, size))...))
	if err != nil {
		return ""
	}
	k, err := newKey(pub)
	if err != nil {
		return ""
	}
	hash := TLV{TLVKeyHash, s.hash.sum(k.der)}
	if sample := sampleKey(hash); sample != "" {
		return "MCUboot's sample key " + sample
	}
	return fmt.Sprintf("%x…", hash.Value[:4])
}

// curve is y² = x³ − 3x + b over the prime p, with a base point of order n: P-256
// and P-384. Nothing here is secret, so nothing has to take constant time.
type curve struct{ p, n, b *big.Int }

// point is in affine coordinates; x of the point at infinity is nil.
type point struct{ x, y *big.Int }

// lift returns the points with this x. Both primes are 3 modulo 4, so a power takes
// the root.
func (c curve) lift(x *big.Int) []point {
	if x.Sign() == 0 || x.Cmp(c.n) >= 0 {
		return nil
	}
	square := new(big.Int).Exp(x, big.NewInt(3), c.p)
	square.Sub(square, new(big.Int).Mul(x, big.NewInt(3)))
	square.Add(square, c.b).Mod(square, c.p)
	y := new(big.Int).ModSqrt(square, c.p)
	if y == nil || y.Sign() == 0 {
		return nil
	}
	return []point{{x, y}, {x, new(big.Int).Sub(c.p, y)}}
}

func (c curve) add(p, q point) point {
	switch {
	case p.x == nil:
		return q
	case q.x == nil:
		return p
	}
	up, down := new(big.Int).Sub(q.y, p.y), new(big.Int).Sub(q.x, p.x)
	if p.x.Cmp(q.x) == 0 {
		if p.y.Cmp(q.y) != 0 {
			return point{}
		}
		up.Mul(p.x, p.x).Mul(up, big.NewInt(3)).Sub(up, big.NewInt(3))
		down.Lsh(p.y, 1)
	}
	slope := up.Mul(up, down.ModInverse(down.Mod(down, c.p), c.p))
	x := new(big.Int).Mul(slope, slope)
	x.Sub(x, p.x).Sub(x, q.x).Mod(x, c.p)
	y := new(big.Int).Sub(p.x, x)
	y.Mul(y, slope).Sub(y, p.y).Mod(y, c.p)
	return point{x, y}
}

func (c curve) mul(p point, k *big.Int) point {
	var sum point
	for i := k.BitLen() - 1; i >= 0; i-- {
		sum = c.add(sum, sum)
		if k.Bit(i) == 1 {
			sum = c.add(sum, p)
		}
	}
	return sum
}
