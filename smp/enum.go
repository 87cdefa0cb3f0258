package smp

import (
	"context"
	"math"
)

// EnumGroup holds the commands of the enumeration group (Zephyr smp_group_10.rst). Use it as a field of a [Client].
type EnumGroup struct{ c *Client }

type enumCountReply struct {
	Count uint64 `cbor:"count"`
}

// Count gives the number of groups that the device has.
func (g EnumGroup) Count(ctx context.Context) (int, error) {
	r, err := enumCount.do(ctx, g.c, none{})
	return int(min(r.Count, math.MaxInt32)), err
}

type enumListReply struct {
	Groups []Group `cbor:"groups"`
}

// List gives the groups that the device has, in its order.
func (g EnumGroup) List(ctx context.Context) ([]Group, error) {
	r, err := enumList.do(ctx, g.c, none{})
	return r.Groups, err
}

type enumSingleRequest struct {
	Index uint32 `cbor:"index"`
}

type enumSingleReply struct {
	Group Group `cbor:"group"`
	End   bool  `cbor:"end"`
}

// At gives the group at an index, counted from 0 in the device's order, and whether it is the last one. It is for
// devices whose buffers are too small for [EnumGroup.List].
func (g EnumGroup) At(ctx context.Context, index uint32) (group Group, last bool, err error) {
	r, err := enumSingle.do(ctx, g.c, enumSingleRequest{index})
	return r.Group, r.End, err
}

// GroupDetails is what a device says of one of its groups.
type GroupDetails struct {
	Group    Group
	Name     string // in the device's words; empty if it does not say. Untrusted text
	Handlers int    // number of commands; 0 if the device does not say
}

type enumDetailsRequest struct {
	Groups []Group `cbor:"groups,omitempty"`
}

type enumDetailsReply struct {
	Groups []struct {
		Group    Group  `cbor:"group"`
		Name     string `cbor:"name"`
		Handlers uint64 `cbor:"handlers"`
	} `cbor:"groups"`
}

// Details asks for names and sizes of groups, of all if none is named. Groups that the device does not have are left
// out of the answer.
func (g EnumGroup) Details(ctx context.Context, groups ...Group) ([]GroupDetails, error) {
	r, err := enumDetails.do(ctx, g.c, enumDetailsRequest{groups})
	if err != nil {
		return nil, err
	}
	details := make([]GroupDetails, len(r.Groups))
	for i, d := range r.Groups {
		details[i] = GroupDetails{d.Group, d.Name, int(min(d.Handlers, math.MaxInt32))}
	}
	return details, nil
}
