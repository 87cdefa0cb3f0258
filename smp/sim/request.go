package sim

import (
	"errors"

	"github.com/fxamacker/cbor/v2"
)

// requestCBOR decodes what clients send. Zephyr does not look at the bytes of a text.
var requestCBOR = func() cbor.DecMode {
	mode, err := cbor.DecOptions{
		DupMapKey:       cbor.DupMapKeyEnforcedAPF,
		UTF8:            cbor.UTF8DecodeInvalid,
		MaxNestedLevels: 8,
	}.DecMode()
	if err != nil {
		panic("sim: " + err.Error())
	}
	return mode
}()

// argument is a key that a command knows. It is optional: what is missing leaves its variable alone.
type argument struct {
	key  string
	take func(raw cbor.RawMessage) error
}

// CBOR major types (RFC 8949, section 3.1).
const (
	majorUint  = 0
	majorNint  = 1
	majorBytes = 2
	majorText  = 3
	majorList  = 4
	majorMap   = 5
)

func argText(key string, v *string) argument { return argument{key, into(majorText, v)} }

func argBytes(key string, v *[]byte) argument { return argument{key, into(majorBytes, v)} }

// argUint takes at most 32 bits, the width of a size on the device.
func argUint(key string, v *uint32) argument { return argument{key, into(majorUint, v)} }

// argInt takes at most 64 bits.
func argInt(key string, v *int64) argument {
	return argument{key, func(raw cbor.RawMessage) error {
		if major := raw[0] >> 5; major != majorUint && major != majorNint {
			return errType
		}
		return requestCBOR.Unmarshal(raw, v)
	}}
}

// argList takes a list whose elements have one major type.
func argList[T any](key string, major byte, v *[]T) argument {
	return argument{key, func(raw cbor.RawMessage) error {
		var elements []cbor.RawMessage
		if raw[0]>>5 != majorList {
			return errType
		}
		if err := requestCBOR.Unmarshal(raw, &elements); err != nil {
			return err
		}
		for _, e := range elements {
			var element T
			if err := into(major, &element)(e); err != nil {
				return err
			}
			*v = append(*v, element)
		}
		return nil
	}}
}

var errType = errors.New("value has another type")

// argBool takes a boolean; a number is none.
func argBool(key string, v *bool) argument {
	return argument{key, func(raw cbor.RawMessage) error {
		const no, yes = 0xf4, 0xf5
		if len(raw) != 1 || raw[0] != no && raw[0] != yes {
			return errType
		}
		*v = raw[0] == yes
		return nil
	}}
}

// into takes a value of one major type. A string in pieces is refused, as by Zephyr's decoder of plain strings.
func into[T any](major byte, v *T) func(cbor.RawMessage) error {
	const indefinite = 31
	return func(raw cbor.RawMessage) error {
		if raw[0]>>5 != major || raw[0]&31 == indefinite {
			return errType
		}
		return requestCBOR.Unmarshal(raw, v)
	}
}

// arguments reads the map of the request. Unknown keys are skipped; a known key with another type, or one given twice,
// fails the command (Zephyr subsys/mgmt/mcumgr/util/src/zcbor_bulk.c). The server decodes from the packet buffer
// without regard to the length in the header, so what follows the map does not matter.
func (c *call) arguments(known ...argument) *failure {
	if len(c.payload) == 0 || c.payload[0]>>5 != majorMap {
		return protocolFailure(rcInvalid)
	}
	var found map[string]cbor.RawMessage
	if _, err := requestCBOR.UnmarshalFirst(c.payload, &found); err != nil {
		return protocolFailure(rcInvalid)
	}
	c.given = found
	for _, a := range known {
		if raw, ok := found[a.key]; ok && a.take(raw) != nil {
			return protocolFailure(rcInvalid)
		}
	}
	return nil
}

// has reports whether the request has a key. It is for use after arguments.
func (c *call) has(key string) bool {
	_, ok := c.given[key]
	return ok
}
