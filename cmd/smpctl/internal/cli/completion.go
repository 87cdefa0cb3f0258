package cli

import (
	"slices"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/simcmd"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// completing reports whether a shell asks what a line could go on with.
func completing(args []string) bool {
	return len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd)
}

// completingRoot is the tree of commands with what a shell offers for a line, which nobody else needs. Completing must
// not disturb anything: it opens no port, and an error is no more than nothing to offer.
func completingRoot(line []string) func(*app.App) *cobra.Command {
	return func(a *app.App) *cobra.Command {
		root := NewRoot(a)
		c := completer{argumentOffers(a), flagOffers(a)}
		c.complete(root)
		if cmd, _, err := root.Find(line); err == nil && cmd != root {
			c.complete(cmd)
		}
		return root
	}
}

// completer gives commands their completions.
type completer struct {
	arguments map[string][]cobra.CompletionFunc // of commands, the last one for all further ones
	flags     map[string]cobra.CompletionFunc   // by name, some behind their command
}

func (c completer) complete(cmd *cobra.Command) {
	path := strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
	if cmd.ValidArgsFunction == nil && len(cmd.ValidArgs) == 0 {
		cmd.ValidArgsFunction = inTurn(c.arguments[path])
	}
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		offer := c.flags[path+" --"+f.Name]
		if offer == nil {
			offer = c.flags["--"+f.Name]
		}
		if offer == nil {
			offer = byValue(f)
		}
		_ = cmd.RegisterFlagCompletionFunc(f.Name, offer) // fails where that is done
		_, f.Usage = pflag.UnquoteUsage(f)                // shells show the text as it is
	})
}

// byValue offers what the kind of a flag's value allows.
func byValue(f *pflag.Flag) cobra.CompletionFunc {
	if choice, ok := f.Value.(app.Choice); ok {
		return oneOf(choice.Allowed()...)
	}
	switch app.ValueName(f) {
	case "FILE", "TAG=FILE", "LINK":
		return anyFile
	case "KEY":
		return keyFiles
	case "FOLDER":
		return folders
	}
	return nothing
}

// flagOffers are the values of flags that their kind does not tell.
func flagOffers(a *app.App) map[string]cobra.CompletionFunc {
	return map[string]cobra.CompletionFunc{
		"--port":        device.CompletePort(a),
		"--console":     device.CompletePort(a),
		"--conn":        device.CompleteProfile(a),
		"--conntype":    oneOf(device.ConnSerial, device.ConnUDP),
		"--baud":        oneOf("9600", "57600", "115200", "230400", "460800", "921600", "1000000"),
		"--smp-version": oneOf("auto", "1", "2"),
		"--loglevel":    oneOf("debug", "info", "warn", "error"),
		"--faults":      simcmd.CompleteFaults,
		"--signer":      completeSigner,
		"--id":          completeIdentity,
	}
}

// argumentOffers are the arguments of commands, in turn.
func argumentOffers(a *app.App) map[string][]cobra.CompletionFunc {
	image := files("bin", "hex", "zip")
	firmware := files("bin", "hex")
	return map[string][]cobra.CompletionFunc{
		"upgrade":         {image, nothing},
		"recover":         {image, nothing},
		"image upload":    {image, nothing},
		"image test":      {device.CompleteImage(a)},
		"image confirm":   {device.CompleteImage(a)},
		"inspect":         {image, nothing},
		"verify":          {firmware, nothing},
		"sign":            {firmware, anyFile, nothing},
		"sign again":      {firmware, nothing},
		"sign prepare":    {firmware, nothing},
		"sign attach":     {files("json"), nothing},
		"package list":    {files("zip", "bin"), nothing},
		"package extract": {files("zip", "bin"), nothing},
		"package build":   {firmware},
		"key info":        {keyFiles, nothing},
		"key public":      {keyFiles, nothing},
		"key hash":        {keyFiles, nothing},
		"key provision":   {keyFiles},
		"conn show":       {device.CompleteProfile(a)},
		"conn delete":     {device.CompleteProfile(a)},
		"conn add":        {nothing, completeProfileValue},
		"conn import":     {files("json"), nothing},
		"fs upload":       {anyFile, nothing},
		"fs download":     {nothing, anyFile, nothing},
		"datetime":        {oneOf("now"), nothing},
		"log show":        {nothing, oneOf("last"), nothing},
		"run test":        {oneOf("all"), nothing},
	}
}

// inTurn offers one thing for each argument, the last of them for all further ones.
func inTurn(offers []cobra.CompletionFunc) cobra.CompletionFunc {
	if len(offers) == 0 {
		return nothing
	}
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		return offers[min(len(args), len(offers)-1)](cmd, args, typed)
	}
}

// oneOf offers words.
func oneOf(list ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(list, cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveKeepOrder)
}

func nothing(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveNoFileComp
}

func anyFile(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}

func folders(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// files offers files whose names end so, and folders on the way to them.
func files(endings ...string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return endings, cobra.ShellCompDirectiveFilterFileExt
	}
}

func keyFiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"pem", "pub", "der", "crt"}, cobra.ShellCompDirectiveFilterFileExt
}

// completeSigner offers who else than a file may sign.
func completeSigner(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{
		cobra.CompletionWithDesc("exec:", "a command that signs"), cobra.CompletionWithDesc("pkcs11:", "a token"),
	}, cobra.ShellCompDirectiveDefault | cobra.ShellCompDirectiveNoSpace
}

// completeIdentity offers what may name a board.
func completeIdentity(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{
		cobra.CompletionWithDesc("usb", "its USB serial number"), cobra.CompletionWithDesc("label", "what was scanned"),
		cobra.CompletionWithDesc("shell:", "a command of its shell"), cobra.CompletionWithDesc("settings:", "a setting"),
		cobra.CompletionWithDesc("os-info:", "what its system says"), cobra.CompletionWithDesc("command:", "a program"),
	}, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// completeProfileValue offers what a connection is described by.
func completeProfileValue(_ *cobra.Command, args []string, _ string) (offers []string, _ cobra.ShellCompDirective) {
	for _, word := range []string{"type=serial", "type=udp", "connstring=", "key="} {
		key, _, _ := strings.Cut(word, "=")
		if !slices.ContainsFunc(args, func(arg string) bool { return strings.HasPrefix(arg, key+"=") }) {
			offers = append(offers, word)
		}
	}
	return offers, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}
