package group

import (
	"context"
	"fmt"
	"io"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/smp"
	"github.com/spf13/cobra"
)

func settingsCommand(a *app.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "settings",
		Short: "Read and change the settings of the firmware",
		RunE:  app.NeedsCommand,
	}
	cmd.AddCommand(settingsGetCommand(a), settingsSetCommand(a),
		change(a, "delete <name>", "Delete a setting", "  smpctl -p sim: settings delete demo/count", app.Takes(1, 1),
			func(ctx context.Context, c *smp.Client, args []string) error { return c.Settings.Delete(ctx, args[0]) }),
		change(a, "commit", "Have the firmware put changed settings to use", "  smpctl -p sim: settings commit",
			app.Takes(0, 0),
			func(ctx context.Context, c *smp.Client, _ []string) error { return c.Settings.Commit(ctx) }),
		change(a, "load", "Go back to the settings that were saved", "  smpctl -p sim: settings load", app.Takes(0, 0),
			func(ctx context.Context, c *smp.Client, _ []string) error { return c.Settings.Load(ctx) }),
		change(a, "save", "Save the settings, so that they outlive a reset", "  smpctl -p sim: settings save",
			app.Takes(0, 0),
			func(ctx context.Context, c *smp.Client, _ []string) error { return c.Settings.Save(ctx) }))
	return cmd
}

// change is a command that asks the device to do something, about a name or about everything.
func change(a *app.App, use, short, example string, args cobra.PositionalArgs,
	do func(context.Context, *smp.Client, []string) error) *cobra.Command {
	var cmd *cobra.Command
	cmd = ask(a, use, short, example, args,
		func(ctx context.Context, c *smp.Client, args []string) (app.Result, error) {
			if err := do(ctx, c, args); err != nil {
				return nil, err
			}
			r := doneResult{Done: cmd.Name()}
			if len(args) > 0 {
				r.Name = args[0]
			}
			return r, nil
		})
	return cmd
}

type settingsGetOptions struct {
	as   app.Choice
	file string
}

func settingsGetCommand(a *app.App) *cobra.Command {
	var o settingsGetOptions
	cmd := &cobra.Command{
		Use:        "get <name>",
		SuggestFor: []string{"read", "show"},
		Short:      "Show the value of a setting",
		Long: `Show the value of a setting: as text if it is one, in hexadecimal digits, and as a little-endian
integer if it has 1, 2, 4 or 8 bytes. What it means only the firmware knows.`,
		Example: "  smpctl -p sim: settings get demo/count\n  smpctl -p sim: settings get demo/count --as int\n" +
			"  smpctl -p sim: settings get demo/name --file name.bin",
		Args: app.Takes(1, 1),
	}
	o.as = app.NewChoice(cmd.Flags(), "as", "", "print only the value, in this `form`: text, hex, int or uint",
		"", "text", "hex", "int", "uint")
	cmd.Flags().StringVar(&o.file, "file", "", "write the bytes to this `file`, - for standard output")
	cmd.RunE = a.Run(func(ctx context.Context, args []string) (app.Result, error) {
		if err := checkGet(a, o); err != nil {
			return nil, err
		}
		return device.With(ctx, a, func(c *smp.Client) (app.Result, error) {
			value, err := c.Settings.Get(ctx, args[0])
			if err != nil {
				return nil, err
			}
			return o.result(args[0], value)
		})
	})
	return cmd
}

func checkGet(a *app.App, o settingsGetOptions) error {
	switch {
	case !o.as.Is("") && o.file != "":
		return failure.Usage("settings get: --as and --file contradict each other")
	case o.file == "-" && a.Flags.JSON:
		return failure.Usage("settings get: --file - leaves no room for --json on standard output")
	}
	return nil
}

func (o settingsGetOptions) result(name string, value []byte) (app.Result, error) {
	r := newSettingResult(name, value)
	switch {
	case o.file == "-":
		return app.BytesResult(value), nil
	case o.file != "":
		if err := files.Write(o.file, value, files.Options{}); err != nil {
			return nil, err
		}
		r.File = o.file
	case !o.as.Is(""):
		text, ok := settingForms[o.as.String()](r)
		if !ok {
			return nil, fmt.Errorf("settings get: %d bytes are no %s", len(value), o.as)
		}
		r.only = &text
	}
	return r, nil
}

type settingsSetOptions struct {
	hex, integer, file string
}

func settingsSetCommand(a *app.App) *cobra.Command {
	var o settingsSetOptions
	cmd := &cobra.Command{
		Use:        "set <name> [text]",
		SuggestFor: []string{"write", "put"},
		Short:      "Set a setting to a text, bytes, an integer or the content of a file",
		Long: `Set a setting to a text, bytes, an integer or the content of a file. The new value is lost at the
next reset unless it is saved with "smpctl settings save".`,
		Example: "  smpctl -p sim: settings set demo/name board-7\n" +
			"  smpctl -p sim: settings set demo/count --int 500\n" +
			"  smpctl -p sim: settings set demo/level --int -3:1\n  smpctl -p sim: settings set demo/key --hex 00ff10",
		Args: app.Takes(1, 2),
	}
	cmd.Flags().StringVar(&o.hex, "hex", "", "set these bytes, in hexadecimal `digits`")
	cmd.Flags().StringVar(&o.integer, "int", "",
		"set this `number[:size]`, little-endian, of 1, 2, 4 or 8 bytes (default 4)")
	cmd.Flags().StringVar(&o.file, "file", "", "set the content of this `file`, - for standard input")
	cmd.RunE = a.Run(func(ctx context.Context, args []string) (app.Result, error) {
		value, err := settingValue(a, o, args[1:], cmd.Flags().Changed)
		if err != nil {
			return nil, err
		}
		return device.With(ctx, a, func(c *smp.Client) (app.Result, error) {
			if err := c.Settings.Set(ctx, args[0], value); err != nil {
				return nil, err
			}
			return doneResult{Done: "set", Name: args[0]}, nil
		})
	})
	return cmd
}

// maxSettingFile bounds the bytes of a value in a file. A packet cannot carry more.
const maxSettingFile = 1 << 16

// settingValue finds the value that was given, in exactly one form.
func settingValue(a *app.App, o settingsSetOptions, text []string, given func(string) bool) ([]byte, error) {
	forms := len(text)
	for _, name := range []string{"hex", "int", "file"} {
		if given(name) {
			forms++
		}
	}
	switch {
	case forms != 1:
		return nil, failure.Usage("settings set: want one value: a text, --hex, --int or --file")
	case given("hex"):
		return parseHex("--hex", o.hex)
	case given("int"):
		return parseInteger(o.integer)
	case o.file == "-":
		data, err := io.ReadAll(io.LimitReader(a.In, maxSettingFile+1))
		if err == nil && len(data) > maxSettingFile {
			err = fmt.Errorf("standard input: more than %d bytes", maxSettingFile)
		}
		return data, err
	case given("file"):
		return files.ReadInput("--file", o.file, maxSettingFile)
	}
	return []byte(text[0]), nil
}

// configCommand is mcumgr-cli's way to settings.
func configCommand(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use:   "config <name> [text]",
		Short: "Show or set a setting, or save all: mcumgr's words for settings",
		Long: `Show or set a setting, or save all with the name "save": mcumgr's words for settings get, set and
save. Values are texts; smpctl settings knows more forms.`,
		Example: "  smpctl -p sim: config demo/name\n  smpctl -p sim: config demo/name board-7\n" +
			"  smpctl -p sim: config save",
		Args: app.Takes(1, 2),
		RunE: a.Run(func(ctx context.Context, args []string) (app.Result, error) {
			return device.With(ctx, a, func(c *smp.Client) (app.Result, error) { return config(ctx, c, args) })
		}),
	}
}

func config(ctx context.Context, c *smp.Client, args []string) (app.Result, error) {
	switch {
	case len(args) == 2:
		err := c.Settings.Set(ctx, args[0], []byte(args[1]))
		if err != nil {
			return nil, err
		}
		return doneResult{Done: "set", Name: args[0]}, nil
	case args[0] == "save":
		if err := c.Settings.Save(ctx); err != nil {
			return nil, err
		}
		return doneResult{Done: "save"}, nil
	}
	value, err := c.Settings.Get(ctx, args[0])
	if err != nil {
		return nil, err
	}
	return configResult{args[0], string(value)}, nil
}

// configResult is the result of config for one setting.
type configResult struct {
	Name  string `json:"name"`  // of the setting
	Value string `json:"value"` // as text
}

// Text prints mcumgr-cli's layout.
func (r configResult) Text(w io.Writer) error {
	_, err := fmt.Fprintf(w, "Value: %s\n", r.Value)
	return err
}
