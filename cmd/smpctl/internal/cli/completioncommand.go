package cli

import (
	"bytes"
	"context"
	"io"
	"maps"
	"slices"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/spf13/cobra"
)

func completionCommand(a *app.App) *cobra.Command {
	plain := false
	cmd := &cobra.Command{
		Use:   "completion <bash|zsh|fish|powershell>",
		Short: "Print the completion script of a shell",
		Long: `Print the script with which a shell completes commands, flags and their values, ports, saved
connections, files, and the hashes of images that were listed a moment ago. Nothing is opened for that.

The examples put it where each new shell finds it. bash needs the package bash-completion; for zsh the folder
has to be in fpath before compinit runs; in a PowerShell profile it is smpctl completion powershell | Out-String |
Invoke-Expression.`,
		Example: `  smpctl completion bash > ~/.local/share/bash-completion/completions/smpctl
  smpctl completion zsh > ~/.zfunc/_smpctl
  smpctl completion fish > ~/.config/fish/completions/smpctl.fish`,
		Args:      app.Takes(1, 1),
		ValidArgs: shellNames(),
	}
	cmd.Flags().BoolVar(&plain, "no-descriptions", false, "complete without a word about what each offer is")
	cmd.RunE = a.Run(func(_ context.Context, args []string) (app.Result, error) {
		write := completionScripts[args[0]]
		if write == nil {
			return nil, failure.Usage("completion %q: want %s", args[0], human.Or(shellNames()))
		}
		var script bytes.Buffer
		if err := write(cmd.Root(), &script, !plain); err != nil {
			return nil, err
		}
		return completionScript{args[0], script.String()}, nil
	})
	return cmd
}

// completionScripts write the script for a shell.
var completionScripts = map[string]func(root *cobra.Command, w io.Writer, described bool) error{
	"bash": func(root *cobra.Command, w io.Writer, described bool) error {
		return root.GenBashCompletionV2(w, described)
	},
	"zsh": func(root *cobra.Command, w io.Writer, described bool) error {
		if described {
			return root.GenZshCompletion(w)
		}
		return root.GenZshCompletionNoDesc(w)
	},
	"fish": func(root *cobra.Command, w io.Writer, described bool) error {
		return root.GenFishCompletion(w, described)
	},
	"powershell": func(root *cobra.Command, w io.Writer, described bool) error {
		if described {
			return root.GenPowerShellCompletionWithDesc(w)
		}
		return root.GenPowerShellCompletion(w)
	},
}

func shellNames() []string { return slices.Sorted(maps.Keys(completionScripts)) }

// completionScript is the result of completion.
type completionScript struct {
	Shell  string `json:"shell"`  // that it is for
	Script string `json:"script"` // to be read by that shell
}

func (r completionScript) Text(w io.Writer) error {
	_, err := io.WriteString(w, r.Script)
	return err
}

// Raw gives the script untouched.
func (r completionScript) Raw() []byte { return []byte(r.Script) }
