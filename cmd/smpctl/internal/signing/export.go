package signing

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"regexp"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/secret"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/trust"
	"github.com/smpctl/smpctl/image/key"
	"github.com/spf13/pflag"
)

// readPublicHalf reads the public key of a key file, private or public.
func readPublicHalf(ctx context.Context, a *app.App, path, passphraseFile string) (crypto.PublicKey, error) {
	data, err := files.ReadInput("key", path, trust.MaxKeyFile)
	if err != nil {
		return nil, err
	}
	pub, err := key.PublicHalf(data, secrets(a, passphraseFile).Passphrase(ctx, path))
	if err != nil {
		return nil, trust.KeyError("key", path, err)
	}
	if isCertificate(data) {
		a.Warn("%s: of this certificate only the key is used: its dates and its issuer are not checked", path)
	}
	return pub, nil
}

func isCertificate(data []byte) bool {
	if block, _ := pem.Decode(data); block != nil {
		return block.Type == "CERTIFICATE"
	}
	_, err := x509.ParseCertificate(data)
	return err == nil
}

// export says in which form and where something of a key goes.
type export struct {
	encoding       app.Choice
	output         string
	suffix         string
	passphraseFile string
}

func (e *export) register(f *pflag.FlagSet, encodings ...string) {
	e.encoding = app.NewChoice(f, "encoding", "e", "form: "+human.Or(encodings), encodings...)
	f.StringVarP(&e.output, "output", "o", "", "write to this `file` instead of standard output")
	f.StringVar(&e.suffix, "name-suffix", "", "put this behind the names in source code, as in _2")
	f.StringVar(&e.passphraseFile, secret.FileFlag, "", secret.FileFlagUsage)
}

var identifierPart = regexp.MustCompile(`^[A-Za-z0-9_]*$`)

// check refuses an export of a file that would be of no use, or do harm.
func (e *export) check(a *app.App, path string) error {
	switch source := e.encoding.Is("lang-c") || e.encoding.Is("lang-rust"); {
	case !identifierPart.MatchString(e.suffix):
		return failure.Usage("--name-suffix %q: want letters, digits and underscores", e.suffix)
	case e.suffix != "" && !source:
		return failure.Usage("--name-suffix: there is no name in the encoding %s", e.encoding)
	case e.encoding.Is("raw") && e.output == "" && a.OutTTY && !a.Flags.JSON:
		return failure.Usage("--encoding raw: bytes would garble the terminal: add --output FILE")
	}
	return files.Apart([]string{e.output}, []string{path, e.passphraseFile})
}

// exported is the result of an export: what is written, and what it is.
type exported struct {
	File     string `json:"file"`
	KeyType  string `json:"key_type"`
	Encoding string `json:"encoding"`         // of what is exported
	Output   string `json:"output,omitempty"` // path of the file that it was written to
	Content  string `json:"text,omitempty"`   // what is exported; absent in the encoding raw
	data     []byte
}

// Text prints what is exported, or where it went.
func (r exported) Text(w io.Writer) error {
	if r.Output != "" {
		_, err := fmt.Fprintf(w, "written    %s, %d bytes\n", r.Output, len(r.data))
		return err
	}
	_, err := io.WriteString(w, r.Content)
	return err
}

// Raw gives what is not text.
func (r exported) Raw() []byte {
	if r.Output != "" || r.Content != "" {
		return nil
	}
	return r.data
}

// finish writes the file, if one is named.
func (e *export) finish(path string, pub crypto.PublicKey, data []byte) (exported, error) {
	name, err := key.Name(pub)
	if err != nil {
		return exported{}, err
	}
	r := exported{File: path, KeyType: name, Encoding: e.encoding.String(), Output: e.output, data: data}
	if !e.encoding.Is("raw") {
		r.Content = string(data)
	}
	if e.output == "" {
		return r, nil
	}
	return r, files.Write(e.output, data, files.Options{})
}
