package smp

import (
	"context"

	"github.com/fxamacker/cbor/v2"
)

// StatGroup holds the commands of the statistics group (Zephyr smp_group_2.rst). Use it as a field of a [Client].
type StatGroup struct{ c *Client }

// Stat is one counter.
type Stat struct {
	Name  string // "s0", "s1", … from firmware without CONFIG_STATS_NAMES
	Value uint64
}

type statListReply struct {
	List []string `cbor:"stat_list"`
}

// List gives the names of the device's groups of statistics, in its order.
func (g StatGroup) List(ctx context.Context) ([]string, error) {
	r, err := statList.do(ctx, g.c, none{})
	return r.List, err
}

type statRequest struct {
	Name string `cbor:"name"`
}

type statReply struct {
	Fields stats `cbor:"fields"`
}

type stats []Stat

// UnmarshalCBOR keeps the device's order.
func (l *stats) UnmarshalCBOR(b []byte) error {
	return pairs(b, func(name string, value cbor.RawMessage) error {
		s := Stat{Name: name}
		err := decMode.Unmarshal(value, &s.Value)
		*l = append(*l, s)
		return err
	})
}

// Read gives the counters of one group of statistics, in the device's order.
func (g StatGroup) Read(ctx context.Context, name string) ([]Stat, error) {
	r, err := statRead.do(ctx, g.c, statRequest{name})
	return r.Fields, err
}
