package group

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/cborjson"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/smp"
	"github.com/spf13/cobra"
)

type rawOptions struct {
	write  bool
	cbor   string
	format app.Choice
}

func rawCommand(a *app.App) *cobra.Command {
	var o rawOptions
	cmd := &cobra.Command{
		Use:   "raw <group> <id> [json]",
		Short: "Send any command, such as one of your own group",
		Long: `Send any command, such as one of your own group, and print the answer. The group is a number or a
name: os, image, stat, settings, log, crash, run, fs, shell, enum, zephyr; your own are numbered
from 64. The request is one JSON value, an empty map if there is none. In it and in the answer,
{"$hex":"00ff"} stands for bytes. A request is sent once.`,
		Example: `  smpctl -p sim: raw os 0 '{"d":"hello"}' --write
  smpctl -p sim: raw settings 0 '{"name":"demo/count"}'
  smpctl -p sim: raw --write settings 0 '{"name":"demo/count","val":{"$hex":"2c010000"}}'
  smpctl -p sim: raw 0 7 --cbor a166666f726d61746176 --format diag`,
		Args:              app.Takes(2, 3),
		ValidArgsFunction: completeGroup,
	}
	cmd.Flags().BoolVarP(&o.write, "write", "w", false, "a request that writes, not one that reads")
	cmd.Flags().StringVar(&o.cbor, "cbor", "", "send this CBOR, in hexadecimal `digits`, instead of JSON")
	o.format = app.NewChoice(cmd.Flags(), "format", "",
		"form of the answer: json, diag (CBOR diagnostic notation) or hex", "json", "diag", "hex")
	cmd.RunE = a.Run(func(ctx context.Context, args []string) (app.Result, error) {
		q, err := o.request(args, cmd.Flags().Changed("cbor"))
		if err != nil {
			return nil, err
		}
		return device.With(ctx, a, func(c *smp.Client) (app.Result, error) { return q.send(ctx, c) })
	})
	return cmd
}

// completeGroup offers the names of groups, for as many as the command takes before something else.
func completeGroup(cmd *cobra.Command, args []string, _ string) (offers []string, _ cobra.ShellCompDirective) {
	if len(args) > 0 && cmd.Name() == "raw" {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	for g := range smp.GroupUser {
		if name := g.String(); !strings.Contains(name, " ") {
			offers = append(offers, name)
		}
	}
	return offers, cobra.ShellCompDirectiveNoFileComp
}

// rawRequest is what goes out.
type rawRequest struct {
	op      smp.Op
	group   smp.Group
	id      uint8
	payload []byte
	format  string
}

func (o rawOptions) request(args []string, givenCBOR bool) (q rawRequest, err error) {
	q = rawRequest{op: smp.Read, format: o.format.String(), payload: []byte{0xa0}} // an empty map
	if o.write {
		q.op = smp.Write
	}
	if q.group, err = smp.ParseGroup(args[0]); err != nil {
		return q, failure.AsUsage(err)
	}
	id, err := strconv.ParseUint(args[1], 0, 8)
	switch {
	case err != nil:
		return q, failure.Usage("command %q: want a number up to 255", args[1])
	case givenCBOR && len(args) == 3:
		return q, failure.Usage("raw: want the request as JSON or with --cbor, not both")
	}
	q.id = uint8(id)
	switch {
	case givenCBOR:
		q.payload, err = parseHex("--cbor", o.cbor)
	case len(args) == 3:
		if q.payload, err = cborjson.FromJSON([]byte(args[2])); err != nil {
			err = failure.WithHint(failure.Usage("raw: request: %w", err), jsonHint)
		}
	}
	return q, err
}

const jsonHint = `keys and texts stand in double quotes, and all of it in single ones: '{"d":"hello"}'`

// rawForms turn the payload of an answer into text.
var rawForms = map[string]func([]byte) (string, error){
	"json": func(b []byte) (string, error) {
		text, err := cborjson.ToJSON(b)
		return string(text), err
	},
	"diag": cborjson.Diagnose,
	"hex":  func(b []byte) (string, error) { return hex.EncodeToString(b), nil },
}

func (q rawRequest) send(ctx context.Context, c *smp.Client) (app.Result, error) {
	payload, err := c.Raw(ctx, q.op, q.group, q.id, q.payload)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("%s command %d", q.group, q.id)
	if err := smp.Refusal(name, q.group, payload); err != nil {
		return nil, err
	}
	r := rawResult{Group: int(q.group), Command: int(q.id), Op: q.op.String(), CBOR: hex.EncodeToString(payload)}
	if r.text, err = rawForms[q.format](payload); err != nil {
		return nil, &smp.ProtocolError{Command: name, Problem: err.Error()}
	}
	if answer, err := cborjson.ToJSON(payload); err == nil {
		r.Answer = answer
	}
	return r, nil
}

// rawResult is the result of raw.
type rawResult struct {
	Group   int    `json:"group"`
	Command int    `json:"command"` // number of the command within the group
	Op      string `json:"op"`      // what was asked for: read or write
	// Answer is the answer as JSON, in which {"$hex":"00ff"} stands for bytes; absent if it is not CBOR.
	Answer json.RawMessage `json:"answer,omitempty"`
	CBOR   string          `json:"cbor"` // the answer, in hexadecimal digits

	text string
}

func (r rawResult) Text(w io.Writer) error {
	_, err := fmt.Fprintln(w, r.text)
	return err
}
