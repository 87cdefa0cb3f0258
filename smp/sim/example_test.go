package sim_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/smpctl/smpctl/smp/sim"
)

// A board with a slow serial port that loses some answers.
func ExampleNewDevice() {
	faults, err := sim.ParseFaults("seed=7,drop-reply=0.01")
	if err != nil {
		fmt.Println(err)
		return
	}
	board, err := sim.NewDevice(sim.Options{Baud: 115200, RXLines: 2, EraseTime: 20 * time.Millisecond, Faults: faults})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer board.Close()
	version, _, _ := board.Running(0)
	fmt.Println("runs", version)
	// Output: runs 1.0.0+0
}

// Packets by hand: an echo request and its answer.
func ExampleDevice_Link() {
	board, err := sim.NewDevice(sim.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer board.Close()
	link := board.Link()
	defer link.Close()

	request := []byte("\x0a\x00\x00\x09\x00\x00\x42\x00" + "\xa1\x61d\x65hello")
	if err := link.WritePacket(request); err != nil {
		fmt.Println(err)
		return
	}
	answer, err := link.ReadPacket()
	fmt.Printf("%q %v\n", answer[8:], err)
	// Output: "\xbfarehello\xff" <nil>
}

// A board that other programs reach over TCP.
func ExampleDevice_Serve() {
	board, err := sim.NewDevice(sim.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer board.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	fmt.Println(board.Serve(ctx, listener))
	// Output: <nil>
}

// A board that is plugged in and reset, as its USB port shows it.
func ExampleRack() {
	rack := sim.NewRack()
	defer rack.Close()
	board, err := rack.Add(sim.Facts{Serial: "E66C0001", Product: "sensor"}, sim.Options{BootTime: 10 * time.Millisecond})
	if err != nil {
		fmt.Println(err)
		return
	}
	changed := rack.Changed()
	if err := board.Plug("1-1.3"); err != nil {
		fmt.Println(err)
		return
	}
	<-changed
	port := rack.Ports()[0]
	fmt.Printf("%s %04x:%04x %s %s in %s\n", port.Name, port.VID, port.PID, port.Serial, port.Product, port.Location)

	stream, err := rack.Open(port)
	if err != nil {
		fmt.Println(err)
		return
	}
	board.Device().Reset()
	_, err = io.ReadAll(stream) // ends with the port
	stream.Close()
	fmt.Println("reset:", err)
	_, err = rack.Open(port)
	fmt.Println(err)
	// Output:
	// ttySIM0 2fe3:0004 E66C0001 sensor in 1-1.3
	// reset: <nil>
	// virtual port has gone: file does not exist
}
