package transport

import (
	"fmt"
	"sync"

	"github.com/ebitengine/purego"
)

// ioKit is the part of the frameworks IOKit and CoreFoundation that listing ports
// takes, called without cgo. Signatures are those of Apple's IOKitLib.h,
// CFString.h and CFNumber.h.
type ioKit struct {
	matching     func(class string) cfRef // released by getServices
	getServices  func(mainPort uint32, matching cfRef, iterator *ioObject) int32
	next         func(iterator ioObject) ioObject
	releaseIO    func(ioObject) int32
	conformsTo   func(entry ioObject, class string) bool
	parentEntry  func(entry ioObject, plane string, parent *ioObject) int32
	createProp   func(entry ioObject, key, allocator cfRef, options uint32) cfRef
	createString func(allocator cfRef, text string, encoding uint32) cfRef
	getCString   func(text cfRef, buf *byte, size int, encoding uint32) bool
	getNumber    func(number cfRef, kind int, value *int64) bool
	typeID       func(cfRef) uint
	stringType   func() uint
	numberType   func() uint
	releaseCF    func(cfRef)
}

// cfRef is a CFTypeRef; 0 is NULL and also the default allocator.
type cfRef uintptr

const (
	utf8Encoding = 0x08000100 // kCFStringEncodingUTF8
	sint64Number = 4          // kCFNumberSInt64Type
	servicePlane = "IOService"
)

// loadIOKit loads the frameworks once.
var loadIOKit = sync.OnceValues(func() (*ioKit, error) {
	frameworks := make(map[string]uintptr)
	for _, name := range []string{"IOKit", "CoreFoundation"} {
		path := "/System/Library/Frameworks/" + name + ".framework/" + name
		handle, err := purego.Dlopen(path, purego.RTLD_LAZY|purego.RTLD_GLOBAL)
		if err != nil {
			return nil, fmt.Errorf("load %s: %w", name, err)
		}
		frameworks[name] = handle
	}
	k := &ioKit{}
	for _, f := range []struct {
		fn              any
		framework, name string
	}{
		{&k.matching, "IOKit", "IOServiceMatching"},
		{&k.getServices, "IOKit", "IOServiceGetMatchingServices"},
		{&k.next, "IOKit", "IOIteratorNext"},
		{&k.releaseIO, "IOKit", "IOObjectRelease"},
		{&k.conformsTo, "IOKit", "IOObjectConformsTo"},
		{&k.parentEntry, "IOKit", "IORegistryEntryGetParentEntry"},
		{&k.createProp, "IOKit", "IORegistryEntryCreateCFProperty"},
		{&k.createString, "CoreFoundation", "CFStringCreateWithCString"},
		{&k.getCString, "CoreFoundation", "CFStringGetCString"},
		{&k.getNumber, "CoreFoundation", "CFNumberGetValue"},
		{&k.typeID, "CoreFoundation", "CFGetTypeID"},
		{&k.stringType, "CoreFoundation", "CFStringGetTypeID"},
		{&k.numberType, "CoreFoundation", "CFNumberGetTypeID"},
		{&k.releaseCF, "CoreFoundation", "CFRelease"},
	} {
		symbol, err := purego.Dlsym(frameworks[f.framework], f.name)
		if err != nil {
			return nil, fmt.Errorf("load %s: %w", f.framework, err)
		}
		purego.RegisterFunc(f.fn, symbol)
	}
	return k, nil
})

// mostServices bounds a listing.
const mostServices = 1024

// services returns the services of a class; each is to be released.
func (k *ioKit) services(class string) ([]ioObject, error) {
	matching := k.matching(class)
	if matching == 0 {
		return nil, fmt.Errorf("no memory to look for %s", class)
	}
	var iterator ioObject
	if code := k.getServices(0, matching, &iterator); code != 0 {
		return nil, fmt.Errorf("look for %s: IOKit error %#x", class, uint32(code))
	}
	defer k.releaseIO(iterator)
	var found []ioObject
	// A change of the registry ends the iteration early; the next listing is complete.
	for service := k.next(iterator); service != 0 && len(found) < mostServices; service = k.next(iterator) {
		found = append(found, service)
	}
	return found, nil
}

func (k *ioKit) release(o ioObject) { k.releaseIO(o) }

func (k *ioKit) isA(entry ioObject, class string) bool { return k.conformsTo(entry, class) }

// parent returns the entry above; it is to be released.
func (k *ioKit) parent(entry ioObject) (ioObject, bool) {
	var above ioObject
	code := k.parentEntry(entry, servicePlane, &above)
	return above, code == 0 && above != 0
}

// text returns a property, empty if it is missing or no text.
func (k *ioKit) text(entry ioObject, key string) string {
	value := k.property(entry, key)
	if value == 0 {
		return ""
	}
	defer k.releaseCF(value)
	if k.typeID(value) != k.stringType() {
		return ""
	}
	var buf [1024]byte // names of nodes, and descriptors of 126 characters
	if !k.getCString(value, &buf[0], len(buf), utf8Encoding) {
		return ""
	}
	for i, b := range buf {
		if b == 0 {
			return string(buf[:i])
		}
	}
	return ""
}

// number returns a property, false if it is missing or no number.
func (k *ioKit) number(entry ioObject, key string) (int64, bool) {
	value := k.property(entry, key)
	if value == 0 {
		return 0, false
	}
	defer k.releaseCF(value)
	var n int64
	ok := k.typeID(value) == k.numberType() && k.getNumber(value, sint64Number, &n)
	return n, ok
}

// property returns a property of the entry itself, 0 if there is none; else it
// is to be released.
func (k *ioKit) property(entry ioObject, key string) cfRef {
	name := k.createString(0, key, utf8Encoding)
	if name == 0 {
		return 0
	}
	defer k.releaseCF(name)
	return k.createProp(entry, name, 0, 0)
}
