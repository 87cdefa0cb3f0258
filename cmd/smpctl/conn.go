package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
)

func connCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "conn",
		Short: "Manage saved connections",
		Long: "Manage saved connections, which -c NAME then uses. They are kept in the file smpctl/connections.toml " +
			"of your config directory.",
		RunE: needsCommand,
	}
	cmd.AddCommand(connAddCommand(a), connShowCommand(a), connDeleteCommand(a), connImportCommand(a))
	return cmd
}

func connAddCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "add <name> type=<serial|udp> [connstring=<settings>] [key=<file>]",
		Short: "Save a connection under a name",
		Long: `Save a connection under a name. An older one of the same name is replaced.

The settings are dev=ADDRESS,baud=N,mtu=N in any order; a bare word is the address, in any form that
-p takes. Without an address the connection is the only USB serial port.

The key is the public key (PEM) of this device's bootloader: upgrade, recover and image upload then
refuse files that it did not sign, unless --key names another. The file stays where it is.`,
		Example: `  smpctl conn add board type=serial connstring="/dev/ttyACM0,baud=115200,mtu=512"
  smpctl conn add nrf type=serial connstring="usb:2fe3:0004"
  smpctl conn add try type=serial connstring="sim:/tmp/board.flash" key=app.pub.pem`,
		Args: cobra.MinimumNArgs(1),
		RunE: a.run(func(ctx context.Context, args []string) (result, error) {
			return a.connAdd(ctx, args[0], args[1:])
		}),
	}
}

func connShowCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:               "show [name]",
		Short:             "Show saved connections",
		Example:           "  smpctl conn show",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeProfileArg,
		RunE:              a.run(func(_ context.Context, args []string) (result, error) { return a.connShow(args) }),
	}
}

func connDeleteCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:               "delete <name>",
		Short:             "Forget a saved connection",
		Example:           "  smpctl conn delete board",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeProfileArg,
		RunE: a.run(func(ctx context.Context, args []string) (result, error) {
			return a.connDelete(ctx, args[0])
		}),
	}
}

// namedProfile is a profile in output.
type namedProfile struct {
	Name string `json:"name"`
	profile
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
	Replaced bool `json:"replaced"`
}

// Text prints mcumgr-cli's words.
func (r connAdded) Text(w io.Writer) error {
	_, err := fmt.Fprintf(w, "Connection profile %s successfully added\n", r.Name)
	return err
}

func (a *app) connAdd(ctx context.Context, name string, assignments []string) (result, error) {
	if err := checkProfileName(name); err != nil {
		return nil, err
	}
	p, err := parseProfile(assignments)
	if err != nil {
		return nil, err
	}
	r := connAdded{namedProfile: namedProfile{name, p}}
	err = a.changeProfiles(ctx, func(f profileFile) (bool, error) {
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
func parseProfile(assignments []string) (p profile, err error) {
	for _, text := range assignments {
		key, value, _ := strings.Cut(text, "=")
		switch key {
		case "type":
			p.Type = unquote(value)
		case "connstring":
			p.ConnString = unquote(value)
		case "key":
			if p.Key, err = keyPath(unquote(value)); err != nil {
				return profile{}, err
			}
		default:
			return profile{}, usage("unknown variable %q: want type=serial, connstring=\"dev=PORT,baud=N,mtu=N\" or "+
				"key=PUB.pem", key)
		}
	}
	if p.Type == "" {
		return profile{}, usage("must specify a connection type: type=serial or type=udp")
	}
	return p, p.check()
}

// keyPath makes sure that a file is a public key, and gives the path under which other directories find it.
func keyPath(path string) (string, error) {
	if _, err := readPublicKey(path); err != nil {
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
		return usage("connection profile %q: want a name of printable characters", name)
	}
	return nil
}

// checkAddress refuses an address that could never be opened; an empty one means the only port.
func checkAddress(address string) error {
	_, err := parseAddress(address)
	return err
}

// connList is the result of conn show.
type connList struct {
	Profiles []namedProfile `json:"profiles"`
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

func (a *app) connShow(names []string) (result, error) {
	f, err := a.profiles()
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		names = f.names()
	}
	l := connList{Profiles: []namedProfile{}}
	for _, name := range names {
		p, err := f.find(name)
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

func (a *app) connDelete(ctx context.Context, name string) (result, error) {
	var p profile
	err := a.changeProfiles(ctx, func(f profileFile) (_ bool, err error) {
		p, err = f.find(name)
		delete(f.Connections, name)
		return true, err
	})
	if err != nil {
		return nil, err
	}
	return connDeleted{namedProfile{name, p}}, nil
}
