package pack_test

import (
	"fmt"
	"log"
	"os"

	"github.com/smpctl/smpctl/image/pack"
)

func ExampleParse() {
	data, err := os.ReadFile("../../testdata/package/dfu_application_nrf5340.zip")
	if err != nil {
		log.Fatal(err)
	}
	p, err := pack.Parse(data)
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range p.Members {
		img, err := m.Load()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(m.Image, m.Name, img.Header.Version)
	}
	// Output:
	// 0 blinky.signed.bin 1.2.3+4
	// 1 ipc_radio.bin 1.0.0+0
}

func ExamplePackage_Bytes() {
	app, err := os.ReadFile("../../testdata/app-2.0.0.bin")
	if err != nil {
		log.Fatal(err)
	}
	p := pack.Package{Format: pack.Zip,
		Members: []pack.Member{{Name: "app.bin", Slot: pack.AnySlot, Version: "2.0.0+0", Data: app}}}
	file, err := p.Bytes()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(pack.Is(file), len(file) > len(app))
	// Output: true true
}
