package conn

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/trust"
	"github.com/spf13/cobra"
)

func connCommand(a *app.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:        "conn",
		SuggestFor: []string{"profile", "profiles", "connection", "connections"},
		Short:      "Manage saved connections",
		Long: "Manage saved connections, which -c NAME then uses. They are kept in the file smpctl/connections.toml " +
			"of your config directory.",
		RunE: app.NeedsCommand,
	}
	cmd.AddCommand(connAddCommand(a), connShowCommand(a), connDeleteCommand(a), connImportCommand(a))
	return cmd
}

func connAddCommand(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use:        "add <name> type=<serial|udp> [connstring=<settings>] [key=<file>]",
		SuggestFor: []string{"new", "create", "set", "save"},
		Short:      "Save a connection under a name",
		Long: `Save a connection under a name. An older one of the same name is replaced.

The settings are dev=ADDRESS,baud=N,mtu=N in any order; a bare word is the address, in any form that
-p takes. Without an address the connection is the only USB serial port.

The key is the public key (PEM) of this device's bootloader: upgrade, recover and image upload then
refuse files that it did not sign, unless --key names another. The file stays where it is.`,
		Example: `  smpctl conn add board type=serial connstring="/dev/ttyACM0,baud=115200,mtu=512"
  smpctl conn add nrf type=serial connstring="usb:2fe3:0004"
  smpctl conn add try type=serial connstring="sim:/tmp/board.flash" key=app.pub.pem`,
		Args: app.Takes(1, -1),
		RunE: a.Run(func(ctx context.Context, args []string) (app.Result, error) {
			return connAdd(ctx, a, args[0], args[1:])
		}),
	}
}

func connShowCommand(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use:        "show [name]",
		SuggestFor: []string{"list", "ls"},
		Short:      "Show saved connections",
		Example:    "  smpctl conn show",
		Args:       app.Takes(0, 1),
		RunE:       a.Run(func(_ context.Context, args []string) (app.Result, error) { return connShow(a, args) }),
	}
}

func connDeleteCommand(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use:        "delete <name>",
		SuggestFor: []string{"remove", "rm"},
		Short:      "Forget a saved connection",
		Example:    "  smpctl conn delete board",
		Args:       app.Takes(1, 1),
		RunE: a.Run(func(ctx context.Context, args []string) (app.Result, error) {
			return connDelete(ctx, a, args[0])
		}),
	}
}

// namedProfile is a profile in output.
type namedProfile struct {
	Name string `json:"name"` // that -c takes
	device.Profile
}

func (p namedProfile) String() string {
	text := fmt.Sprintf("%s: type=%s, connstring='%s'", p.Name, p.Type, p.ConnString)
	if p.Key != "" {
		text += fmt.Sprintf(", key='%s'", p.Key)
	}
	return text
}

// connAdded is the result of conn add.
type connAdded struct {
	namedProfile
	Replaced bool `json:"replaced"` // there was another one of this name
}

// Text prints mcumgr-cli's words.
func (r connAdded) Text(w io.Writer) error {
	_, err := fmt.Fprintf(w, "Connection profile %s successfully added\n", r.Name)
	return err
}

func connAdd(ctx context.Context, a *app.App, name string, assignments []string) (app.Result, error) {
	if err := checkProfileName(name); err != nil {
		return nil, err
	}
	p, err := parseProfile(assignments)
	if err != nil {
		return nil, err
	}
	r := connAdded{namedProfile: namedProfile{name, p}}
	err = device.ChangeProfiles(ctx, a, func(f device.ProfileFile) (bool, error) {
		_, r.Replaced = f.Connections[name]
		f.Connections[name] = p
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// parseProfile reads mcumgr-cli's type=... and connstring=... arguments, and key=...
func parseProfile(assignments []string) (p device.Profile, err error) {
	for _, text := range assignments {
		key, value, _ := strings.Cut(text, "=")
		switch key {
		case "type":
			p.Type = device.Unquote(value)
		case "connstring":
			p.ConnString = device.Unquote(value)
		case "key":
			if p.Key, err = keyPath(device.Unquote(value)); err != nil {
				return device.Profile{}, err
			}
		default:
			return device.Profile{}, failure.Usage("unknown variable %q: want type=serial, "+
				"connstring=\"dev=PORT,baud=N,mtu=N\" or "+
				"key=PUB.pem", key)
		}
	}
	if p.Type == "" {
		return device.Profile{}, failure.Usage("must specify a connection type: type=serial or type=udp")
	}
	return p, p.Check()
}

// keyPath makes sure that a file is a public key, and gives the path under which other directories find it.
func keyPath(path string) (string, error) {
	if _, err := trust.ReadPublicKey(path); err != nil {
		return "", err
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("key %s: %w", path, err)
	}
	return absolute, nil
}

func checkProfileName(name string) error {
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return failure.Usage("connection profile %q: want a name of printable characters", name)
	}
	return nil
}

// connList is the result of conn show.
type connList struct {
	Profiles []namedProfile `json:"profiles"` // the saved connections, by name
}

// Text prints mcumgr-cli's layout.
func (l connList) Text(w io.Writer) error {
	if len(l.Profiles) == 0 {
		_, err := fmt.Fprintln(w, "No connection profiles found!")
		return err
	}
	fmt.Fprintln(w, "Connection profiles: ") // with mcumgr-cli's space
	for _, p := range l.Profiles {
		if _, err := fmt.Fprintf(w, "  %s\n", p); err != nil {
			return err
		}
	}
	return nil
}

func connShow(a *app.App, names []string) (app.Result, error) {
	f, err := device.Profiles(a)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		names = f.Names()
	}
	l := connList{Profiles: []namedProfile{}}
	for _, name := range names {
		p, err := f.Find(name)
		if err != nil {
			return nil, err
		}
		l.Profiles = append(l.Profiles, namedProfile{name, p})
	}
	return l, nil
}

// connDeleted is the result of conn delete.
type connDeleted struct {
	namedProfile
}

// Text prints mcumgr-cli's words.
func (r connDeleted) Text(w io.Writer) error {
	_, err := fmt.Fprintf(w, "Connection profile %s successfully deleted.\n", r.Name)
	return err
}

func connDelete(ctx context.Context, a *app.App, name string) (app.Result, error) {
	var p device.Profile
	err := device.ChangeProfiles(ctx, a, func(f device.ProfileFile) (_ bool, err error) {
		p, err = f.Find(name)
		delete(f.Connections, name)
		return true, err
	})
	if err != nil {
		return nil, err
	}
	return connDeleted{namedProfile{name, p}}, nil
}
