package cli

import (
	"context"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
)

// Run executes one command line and returns the exit code.
func Run(ctx context.Context, args []string, s app.Streams, env func(string) (string, bool)) int {
	tree := NewRoot
	if completing(args) {
		tree = completingRoot(args[1:])
	}
	return app.Main(ctx, tree, args, s, env)
}
