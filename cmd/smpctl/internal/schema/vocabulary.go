package schema

import (
	"reflect"
	"strings"
	"time"
)

// vocabulary says what a key means wherever it stands, unless the field that it belongs to says more.
var vocabulary = map[string]string{
	"image":            "number of the image on the device; 0 is the application's",
	"slot":             "number of the slot within the image: 0 or 1",
	"version":          "version of the image: major.minor.revision+build",
	"hash":             "image hash, in hexadecimal digits; not the hash of a file",
	"hash_type":        "which hash it is",
	"key_type":         "what sort of key it is",
	"key_hash":         "hash of the public key, in hexadecimal digits",
	"file":             "path of the file, as it was given",
	"file_sha256":      "SHA-256 of the file as it is on disk, in hexadecimal digits",
	"format":           "form of the file",
	"output":           "path of the file that was written, as it was given",
	"bytes":            "size in bytes",
	"seconds":          "how long it took, in seconds",
	"bytes_per_second": "rate in bytes per second",
	"port":             "port or address of the device",
	"serial":           "serial number of the USB device",
	"smp_version":      "version of the protocol that the device speaks: 1 or 2",
	"buf_size":         "size of one of the device's packet buffers, in bytes",
	"buf_count":        "number of the device's packet buffers",
	"name":             "name",
	"error":            "the error that it ended with; absent if there was none",
	"warnings":         "what is unusual or may go wrong, in sentences for people",
	"encrypted":        "the body is encrypted",
	"compressed":       "the body is compressed",
	"runs":             "what answers: application or bootloader; unknown if the device does not tell",
	"group":            "number of the command group",
	"resent":           "bytes that were transferred more than once, for losses",
	"already_present":  "the device had it already: nothing was sent",
	"resumed_from":     "bytes that the device had of it already, from an upload that was interrupted",
	"result":           "what the command prints without -",
	"event":            "what this line tells",
	"step":             "step of the update",
	"phase":            "where in the step",
	"done":             "bytes that have arrived",
	"total":            "bytes in all",
	"in_flight":        "requests under way at the same time",
	"message":          "a sentence for people",
	"text":             "text for people",
}

// meaning is what a key means where it stands: what its comment says, or else the vocabulary. A comment may go on where
// that ends: "size in bytes" of something.
func meaning(key, comment string) string {
	always := vocabulary[key]
	if comment == "" {
		return always
	}
	if strings.HasPrefix(comment, "of ") && always != "" && !strings.ContainsAny(always, ":;,") {
		return always + " " + comment
	}
	return comment
}

// unitOf is the unit that a key says.
func unitOf(key string) string {
	switch {
	case strings.HasSuffix(key, "bytes"):
		return "bytes"
	case strings.HasSuffix(key, "seconds"):
		return "seconds"
	}
	return ""
}

// checkKey holds a key to the rules of the vocabulary.
func checkKey(key string, t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	ends := func(suffix string) bool { return key == suffix || strings.HasSuffix(key, "_"+suffix) }
	isNumber := t.Kind() == reflect.Float64
	isInteger := t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64
	switch {
	case strings.ToLower(key) != key || strings.Contains(key, "-"):
		return "the key " + key + " is not in snake_case"
	case key == "bytes_per_second":
		return want(isInteger, key, "an integer")
	case ends("seconds"):
		return want(isNumber, key, "a number")
	case ends("bytes"):
		return want(isInteger, key, "an integer")
	case ends("sha256"):
		return want(t.Kind() == reflect.String, key, "a text")
	case key == "error":
		return want(t.Name() == "Failure", key, "a failure")
	case key == "steps", key == "images":
		return want(t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct, key, "objects")
	case key == "buf_size": // SMP's own name
		return ""
	case ends("size"), ends("length"):
		return "the key " + key + " does not say its unit: bytes, or something_bytes"
	case ends("duration"), ends("took"), ends("elapsed"), ends("ms"):
		return "the key " + key + " does not end in seconds"
	}
	switch t {
	case reflect.TypeFor[time.Duration]():
		return "the key " + key + " is a duration in nanoseconds"
	case reflect.TypeFor[[]byte]():
		return "the key " + key + " is bytes in base64"
	}
	return ""
}

func want(holds bool, key, what string) string {
	if holds {
		return ""
	}
	return "the key " + key + " is not " + what
}
