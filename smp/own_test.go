package smp_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/smp"
)

func TestRefusal(t *testing.T) {
	for payload, want := range map[string]string{
		"\xa1\x62rc\x08": "x: device refused: the device does not have this command (rc 8 ENOTSUP)",
		"\xa1\x63err\xa2\x65group\x18\x46\x62rc\x05": "x: device refused: unknown error (group 70 5)",
		// tagged
		"\xa2\x62rc\x03\x61d\xc1\x00":     "x: device refused: bad or missing argument (rc 3 EINVAL)",
		"\xa2\x62rc\x03\x61f\xf9\x7e\x00": "x: device refused: bad or missing argument (rc 3 EINVAL)", // not a number
		"\xa1\x62rc\x00":                  "", "\xa0": "", "": "", "\x80": "", "\xa1\x62rc\x61a": "", "\xa1\x62rc": "",
		"\xff": "", "\xa1\x01\x02": "",
	} {
		err := smp.Refusal("x", 70, []byte(payload))
		if got := textOf(err); got != want {
			t.Errorf("%x: %s, want %s", payload, got, want)
		}
	}
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestOwnCommand(t *testing.T) {
	type body struct {
		N int `cbor:"n"`
	}
	for _, tt := range []struct {
		name  string
		cmd   smp.Command[body, body]
		sent  []string
		error string
	}{
		{"read", smp.Command[body, body]{Group: 70, ID: 9}, []string{"0800000400460009a1616e05"}, ""},
		{"write", smp.Command[body, body]{Group: 70, ID: 9, Op: smp.Write}, []string{"0a00000400460009a1616e05"}, ""},
		{"no request", smp.Command[body, body]{Group: 70, ID: 9, Op: smp.ReadResponse}, nil,
			"group 70 command 9: read response is not a request"},
	} {
		synctest.Test(t, func(t *testing.T) {
			sent := exchange(t, []byte("\xbf\x61n\x07\xff"), func(c *smp.Client) {
				got, err := tt.cmd.Do(t.Context(), c, body{5})
				if textOf(err) != tt.error || err == nil && got.N != 7 {
					t.Errorf("%s: %+v, %v", tt.name, got, err)
				}
			})
			if len(sent) != len(tt.sent) || len(sent) > 0 && sent[0] != tt.sent[0] {
				t.Errorf("%s: sent %q, want %q", tt.name, sent, tt.sent)
			}
		})
	}
}

// Once and Timeout are those of the commands that the package knows.
func TestOwnCommandTimes(t *testing.T) {
	for want, cmd := range map[time.Duration]smp.Command[struct{}, struct{}]{
		3 * time.Second:  {Group: 70, Once: true},
		9 * time.Second:  {Group: 70},
		20 * time.Second: {Group: 70, Once: true, Timeout: 20 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			c, _ := settled(t, func(*link, []byte) {}, smp.Options{})
			took(t, want, func() {
				if _, err := cmd.Do(t.Context(), c, struct{}{}); !errors.Is(err, smp.ErrNoReply) {
					t.Errorf("%+v: %v, want silence", cmd, err)
				}
			})
		})
	}
}
