package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/miekg/pkcs11"
)

// failure is why there is no signature. The reason is for programs, the message for people.
type failure struct {
	Reason    string `json:"reason"`
	Code      string `json:"code,omitempty"` // CKR_…, if a module said so
	Message   string `json:"message"`
	PublicKey []byte `json:"public_key,omitempty"` // of the key that is not the expected one
}

func (f *failure) Error() string { return f.Message }

func fail(reason, format string, args ...any) error {
	return &failure{Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// failed is fail for an error of a module, with its code by name.
func failed(reason string, err error, format string, args ...any) error {
	f := &failure{Reason: reason, Message: fmt.Sprintf(format, args...), Code: codeName(err)}
	if f.Code != "" {
		f.Message += " (" + f.Code + ")"
	}
	return f
}

func describe(err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	return &failure{Reason: "other", Message: err.Error()}
}

// codeName is the name of a module's error, its number if it is a vendor's, and "" for other errors.
func codeName(err error) string {
	var code pkcs11.Error
	if !errors.As(err, &code) {
		return ""
	}
	if _, name, ok := strings.Cut(code.Error(), "CKR_"); ok {
		return "CKR_" + name
	}
	return fmt.Sprintf("CKR 0x%x", uint(code))
}

func is(err error, codes ...uint) bool {
	var code pkcs11.Error
	if !errors.As(err, &code) {
		return false
	}
	for _, c := range codes {
		if uint(code) == c {
			return true
		}
	}
	return false
}
