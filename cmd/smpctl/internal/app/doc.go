// Package app is what every command of smpctl gets: streams, flags, the printing of results, news and progress, and the
// way from a command line to an exit code.
//
//	func versionCommand(a *app.App) *cobra.Command {
//		return &cobra.Command{
//			Use: "version",
//			RunE: a.Run(func(ctx context.Context, args []string) (app.Result, error) {
//				return newVersion(), nil // printed as text, or with --json as it is
//			}),
//		}
//	}
//
// A result goes to standard output, everything else to standard error. App knows no command and no device.
package app
