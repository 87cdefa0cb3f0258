package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/miekg/pkcs11"
)

// maxListed bounds how many tokens or keys a message names.
const maxListed = 8

// session is a module with one token open. The zero value has none.
type session struct {
	module *pkcs11.Ctx
	handle pkcs11.SessionHandle
	opened bool
	token  string // label
	pin    string // for keys that want it before each signature
}

// open loads the module, finds the token and logs in.
func (s *session) open(r request, askPIN func(token string, lastTry bool) (string, error)) error {
	var err error
	if s.module, err = load(r.Module); err != nil {
		return err
	}
	slot, info, err := r.find(s.module)
	if err != nil {
		return err
	}
	s.token = info.Label
	if s.handle, err = s.module.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION); err != nil {
		return failed("token", err, "token %q: cannot be opened", s.token)
	}
	s.opened = true
	return s.login(slot, info, askPIN)
}

func (s *session) close() {
	if s.module == nil {
		return
	}
	if s.opened {
		_ = s.module.Logout(s.handle)
		_ = s.module.CloseSession(s.handle)
	}
	_ = s.module.Finalize()
	s.module.Destroy()
}

func load(path string) (*pkcs11.Ctx, error) {
	if path == "" {
		return nil, fail("module",
			"the path of the PKCS#11 module is missing: add ?module-path=/path/to/module to the URI, or set "+
				"SMPCTL_PKCS11_MODULE")
	}
	if strings.ContainsRune(path, os.PathSeparator) {
		if _, err := os.Stat(path); err != nil {
			return nil, fail("module", "module %s: %v", path, cause(err))
		}
	}
	module := pkcs11.New(path)
	if module == nil {
		return nil, fail("module", "module %s: is not a PKCS#11 module that this system can load", path)
	}
	if err := module.Initialize(); err != nil && !is(err, pkcs11.CKR_CRYPTOKI_ALREADY_INITIALIZED) {
		module.Destroy()
		return nil, failed("module", err, "module %s: does not start", path)
	}
	return module, nil
}

func cause(err error) error {
	if e, ok := err.(*os.PathError); ok {
		return e.Err
	}
	return err
}

// find returns the one token that the request means.
func (r request) find(module *pkcs11.Ctx) (uint, pkcs11.TokenInfo, error) {
	slots, err := module.GetSlotList(true)
	if err != nil {
		return 0, pkcs11.TokenInfo{}, failed("module", err, "module %s: does not list its tokens", r.Module)
	}
	var found []uint
	var info pkcs11.TokenInfo
	var present, matching []string
	for _, slot := range slots {
		t, err := module.GetTokenInfo(slot)
		if err != nil || t.Flags&pkcs11.CKF_TOKEN_INITIALIZED == 0 {
			continue
		}
		name := fmt.Sprintf("%q (slot-id %d, serial %s)", t.Label, slot, t.SerialNumber)
		present = append(present, name)
		if r.matches(slot, t) {
			found, info = append(found, slot), t
			matching = append(matching, name)
		}
	}
	switch {
	case len(present) == 0:
		return 0, info, fail("token-not-found",
			"module %s: has no token: is it plugged in, and its configuration found?", r.Module)
	case len(found) == 0:
		return 0, info, fail("token-not-found", "no token with %s: there is %s", r.tokenName(), list(present))
	case len(found) > 1 && r.tokenName() == "":
		return 0, info, fail("token-ambiguous", "there are %d tokens, and none is named: %s",
			len(found), list(matching))
	case len(found) > 1:
		return 0, info, fail("token-ambiguous", "%d tokens with %s: %s", len(found), r.tokenName(), list(matching))
	}
	return found[0], info, nil
}

func (r request) matches(slot uint, t pkcs11.TokenInfo) bool {
	same := func(want, got string) bool { return want == "" || want == strings.TrimRight(got, " \x00") }
	return same(r.Token, t.Label) && same(r.Manufacturer, t.ManufacturerID) && same(r.Serial, t.SerialNumber) &&
		same(r.Model, t.Model) &&
		(r.SlotID == nil || uint(*r.SlotID) == slot)
}

// tokenName is how the request names its token, empty if it does not.
func (r request) tokenName() string {
	var parts []string
	for _, p := range []struct{ name, value string }{
		{"token", r.Token}, {"manufacturer", r.Manufacturer}, {"serial", r.Serial}, {"model", r.Model},
	} {
		if p.value != "" {
			parts = append(parts, fmt.Sprintf("%s=%q", p.name, p.value))
		}
	}
	if r.SlotID != nil {
		parts = append(parts, fmt.Sprintf("slot-id=%d", *r.SlotID))
	}
	return strings.Join(parts, " ")
}

func list(names []string) string {
	if more := len(names) - maxListed; more > 0 {
		return strings.Join(names[:maxListed], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(names, ", ")
}

// login shows the token the PIN, if it wants one.
func (s *session) login(slot uint, info pkcs11.TokenInfo, askPIN func(string, bool) (string, error)) error {
	if info.Flags&pkcs11.CKF_LOGIN_REQUIRED == 0 {
		return nil
	}
	if info.Flags&pkcs11.CKF_USER_PIN_LOCKED != 0 {
		return fail("pin-locked", "token %q: its PIN is locked after too many wrong ones", s.token)
	}
	if info.Flags&pkcs11.CKF_PROTECTED_AUTHENTICATION_PATH == 0 { // else the token has keys of its own to type it on
		pin, err := askPIN(s.token, info.Flags&pkcs11.CKF_USER_PIN_FINAL_TRY != 0)
		if err != nil {
			return err
		}
		s.pin = pin
	}
	err := s.module.Login(s.handle, pkcs11.CKU_USER, s.pin)
	switch {
	case err == nil, is(err, pkcs11.CKR_USER_ALREADY_LOGGED_IN):
		return nil
	case is(err, pkcs11.CKR_PIN_LOCKED):
		return failed("pin-locked", err, "token %q: its PIN is locked after too many wrong ones", s.token)
	case is(err, pkcs11.CKR_PIN_INCORRECT, pkcs11.CKR_PIN_INVALID, pkcs11.CKR_PIN_LEN_RANGE):
		return failed("pin-incorrect", err, "token %q: the PIN is wrong%s", s.token, s.triesLeft(slot))
	}
	return failed("login", err, "token %q: refuses the login", s.token)
}

// triesLeft warns of the lock that the next wrong PIN brings.
func (s *session) triesLeft(slot uint) string {
	info, err := s.module.GetTokenInfo(slot)
	switch {
	case err != nil:
		return ""
	case info.Flags&pkcs11.CKF_USER_PIN_LOCKED != 0:
		return ", and locked now"
	case info.Flags&pkcs11.CKF_USER_PIN_FINAL_TRY != 0:
		return ", one more locks it"
	}
	return ""
}
