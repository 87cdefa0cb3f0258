// Command smpctl-pkcs11 signs with a key in a PKCS#11 token, for smpctl. It is a program of its own because a PKCS#11
// module is a shared library, which a static binary cannot load, and because a module that crashes takes only this
// program along.
//
// It reads one request from standard input and writes one answer to standard output, each a JSON object on a line:
//
//	> {"protocol":1,"module":"/usr/lib/softhsm/libsofthsm2.so","token":"ci","object":"fw","input":"digest",
//	   "hash":"sha256","data":"BASE64","public_key":"BASE64"}
//	< {"need":"pin","token":"ci"}
//	> {"pin":"1234"}
//	< {"signature":"BASE64"}
//
// or, instead of the signature,
//
//	< {"error":{"reason":"pin-incorrect","code":"CKR_PIN_INCORRECT","message":"token \"ci\": the PIN is wrong"}}
//
// The PIN is asked for only if the token wants one. The public key (SubjectPublicKeyInfo) says which key is expected;
// if the token knows the public half of the one it found and it is another, nothing is signed.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

func main() {
	c := &conversation{in: bufio.NewReader(os.Stdin), out: os.Stdout}
	if err := c.serve(); err != nil {
		fmt.Fprintln(os.Stderr, "smpctl-pkcs11:", err)
		os.Exit(1)
	}
}

// conversation is the exchange with smpctl.
type conversation struct {
	in  *bufio.Reader
	out io.Writer
}

// request is what smpctl asks for. Fields that choose token and key are empty if any will do.
type request struct {
	Protocol     int     `json:"protocol"` // 1
	Module       string  `json:"module"`   // path of the shared library
	Token        string  `json:"token,omitempty"`
	Manufacturer string  `json:"manufacturer,omitempty"`
	Serial       string  `json:"serial,omitempty"`
	Model        string  `json:"model,omitempty"`
	SlotID       *uint32 `json:"slot_id,omitempty"`
	Object       string  `json:"object,omitempty"` // CKA_LABEL
	ID           []byte  `json:"id,omitempty"`     // CKA_ID
	Input        string  `json:"input"`            // digest, or payload: the token hashes
	Hash         string  `json:"hash"`             // sha256, sha384 or sha512
	Data         []byte  `json:"data"`             // digest or payload
	PublicKey    []byte  `json:"public_key"`       // the expected one
}

// answer is either of: the wish for a PIN, the signature, an error.
type answer struct {
	Need      string   `json:"need,omitempty"` // pin
	Token     string   `json:"token,omitempty"`
	LastTry   bool     `json:"last_try,omitempty"` // a wrong PIN locks the token
	Signature []byte   `json:"signature,omitempty"`
	Error     *failure `json:"error,omitempty"`
}

type secret struct {
	PIN string `json:"pin"`
}

// maxLine bounds a request: the largest payload, in base64.
const maxLine = 96 << 20

// serve answers one request. The token is closed after that: some modules crash then.
func (c *conversation) serve() error {
	s := &session{}
	defer s.close()
	signature, err := c.sign(s)
	if err != nil {
		return c.send(answer{Error: describe(err)})
	}
	return c.send(answer{Signature: signature})
}

func (c *conversation) sign(s *session) ([]byte, error) {
	var r request
	if err := c.receive(&r); err != nil {
		return nil, err
	}
	if r.Protocol != 1 {
		return nil, fail("protocol",
			"protocol %d, this is a smpctl-pkcs11 for protocol 1: install the one that belongs to smpctl", r.Protocol)
	}
	if err := s.open(r, c.askPIN); err != nil {
		return nil, err
	}
	return s.sign(r)
}

func (c *conversation) askPIN(token string, lastTry bool) (string, error) {
	if err := c.send(answer{Need: "pin", Token: token, LastTry: lastTry}); err != nil {
		return "", err
	}
	var s secret
	err := c.receive(&s)
	return s.PIN, err
}

func (c *conversation) send(a answer) error { return json.NewEncoder(c.out).Encode(a) }

func (c *conversation) receive(v any) error {
	var line []byte
	for {
		part, err := c.in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxLine:
			return fail("protocol", "a line of more than %d MiB", maxLine>>20)
		case err == nil:
			if err := json.Unmarshal(line, v); err != nil {
				return fail("protocol", "not a request: %v", err)
			}
			return nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return fail("protocol", "this program is run by smpctl: its standard input ended too soon")
		}
	}
}
