// Manual writes the manual pages of smpctl. It is run when a release is made, and is no part of it:
//
//	go run ./cmd/smpctl/internal/manual VERSION DATE FOLDER
package main

import (
	"log"
	"os"
	"path/filepath"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/cli"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 4 {
		log.Fatal("usage: manual VERSION DATE FOLDER")
	}
	for name, text := range cli.Manual(os.Args[1], os.Args[2]) {
		if err := os.WriteFile(filepath.Join(os.Args[3], name), text, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}
