package signing

import (
	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/spf13/cobra"
)

func keyCommand(a *app.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "key",
		Short: "Make signing keys and export their public halves",
		Long: `Make signing keys, and export their public halves for bootloaders and key stores, in the bytes that
imgtool would write.

A key file is PEM: PKCS#8, SEC1 or PKCS#1, encrypted or not. Public keys and certificates are read
as DER too. Of a certificate only the key counts. The passphrase of an encrypted key is the first
line of --passphrase-file, or in SMPCTL_PASSPHRASE, or typed.`,
		RunE: app.NeedsCommand,
	}
	cmd.AddCommand(keyGenerateCommand(a), keyInfoCommand(a), keyPublicCommand(a), keyHashCommand(a),
		keyProvisionCommand(a))
	return cmd
}
