package sim

import (
	"crypto"
	"fmt"
	"reflect"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// Sector is the size of one erasable piece of the device's flash in bytes.
const Sector = 4096

// Defaults of a Zephyr build (subsys/mgmt/mcumgr/transport/Kconfig and grp/os_mgmt/Kconfig) and of this device.
const (
	defaultSlotSize   = 256 << 10
	defaultBufSize    = 384 // CONFIG_MCUMGR_TRANSPORT_NETBUF_SIZE
	bufSizePerImage   = 256 // more for each further image: the list of all slots has to fit
	defaultBufCount   = 4   // CONFIG_MCUMGR_TRANSPORT_NETBUF_COUNT
	defaultLineSize   = 128 // CONFIG_UART_MCUMGR_RX_BUF_SIZE
	defaultLineTime   = 100 * time.Microsecond
	defaultResetDelay = 250 * time.Millisecond // CONFIG_MCUMGR_GRP_OS_RESET_MS
	defaultBootTime   = 500 * time.Millisecond
	defaultSwapTime   = time.Second
	maxImages         = 8
	maxSlotSize       = 64 << 20
)

// Options say how the device was built, in five groups: the flash, the SMP server of the application, the bootloader,
// the line to the host, and faults. The zero value is a Zephyr board with one image, swapping MCUboot without signature
// check, and every command of every group.
type Options struct {
	// The flash and what it holds when it is new.

	Images   int // image pairs, 1 to 8; 0: 1, or what the flash file holds
	SlotSize int // bytes of each slot, a multiple of Sector; 0: 256 KiB, or what the flash file holds

	// Factory is the image in slot 0 when the flash is new. The bootloader trusts it without a signature. Nil: a tiny
	// generated one of version 1.0.0, with a different hash for each image number. It is not read after [NewDevice].
	Factory []byte
	Blank   bool // no factory image: the device comes up in serial recovery

	// Flash names a file that holds the flash from one device to the next, as if the board stayed powered. It is
	// created if it does not exist. The files of the file system are beside it, under that name with ".files" behind.
	// Empty: all lives in memory.
	Flash     string
	EraseTime time.Duration // for each sector

	// The SMP server of the application (Zephyr subsys/mgmt/mcumgr).

	NoSMP    bool // there is none: only the bootloader ever answers
	BufSize  int  // bytes of a packet buffer, 64 to 65535; 0: 384, and 256 for each image after the first
	BufCount int  // packet buffers, shared by requests and answers, 1 to 1024; 0: 4

	Legacy  bool // a server from before protocol version 2: version bits 0, flat error codes, "rc" in success
	Verbose bool // explains errors in "rsn" (CONFIG_MCUMGR_SMP_VERBOSE_ERR_RESPONSE)
	Frugal  bool // lists only flags that are true (CONFIG_MCUMGR_GRP_IMG_FRUGAL_LIST)

	// Commands left out of the build; they answer rc 8.
	NoEcho, NoParams, NoTaskStat, NoMemStat, NoDateTime, NoInfo, NoBootloaderInfo, NoSlotInfo bool

	NoGroups   []smp.Group // groups left out of the build
	NoStorage  bool        // settings cannot be saved: the build has no backend for them
	NoFileHash bool        // no hashes of files
	FSSize     int         // bytes that the writable files can have together; 0: 2 MiB
	NoBootMode bool        // ignores the boot mode of a reset (CONFIG_MCUMGR_GRP_OS_RESET_BOOT_MODE off)

	AlignWrite   int  // cuts chunks to a multiple of this many bytes, as old servers do; 0 or 1: never
	Progressive  bool // erases sector by sector as data arrives, not before the first answer
	ImageCheck   bool // compares an upload with its sha and reports match (CONFIG_IMG_ENABLE_IMAGE_CHECK)
	DirectUpload bool // image n of an upload is slot n-1 (CONFIG_MCUMGR_GRP_IMG_DIRECT_UPLOAD)

	// NetworkCore leaves primary slots of images beside the first out of the list, as of the network core of an
	// nRF5340, whose slot is RAM.
	NetworkCore bool

	Board  string // hardware platform in the OS information; "": "native_sim"
	Kernel string // kernel version there; "": "4.4.0"

	// The bootloader, MCUboot.

	Mode        Mode               // what it does with an update
	Key         crypto.PublicKey   // every update must be signed with it; nil: the image hash is enough
	MoreKeys    []crypto.PublicKey // or with one of these; Zephyr's build takes several after MCUboot 2.4.0
	NoDowngrade bool               // refuses an older version (MCUBOOT_DOWNGRADE_PREVENTION)

	// Times of a reset. 0 is the default, negative is none.
	ResetDelay time.Duration // from the answer to the reset, while the old application still answers; 250 ms
	BootTime   time.Duration // from the reset to the application; 500 ms
	SwapTime   time.Duration // on top of it for each image that is moved, also if that was interrupted before; 1 s

	// Recovery leaves the device in MCUboot's serial recovery when it is made, as a button held at power-up does.
	Recovery bool
	// RecoveryWindow is how long the bootloader waits for a packet at every boot before it starts the application
	// (BOOT_SERIAL_WAIT_FOR_DFU). Any request in this time keeps the device in serial recovery. The time counts from
	// the reset: of a window that is shorter than a swap only a millisecond is left after it. But what arrives on a
	// UART during the swap waits for that millisecond, eight lines at most (MCUboot boot/zephyr/main.c,
	// serial_adapter.c).
	RecoveryWindow time.Duration
	SerialRecovery SerialRecovery // how its serial recovery was built

	// The line to the host.

	// Raw is a serial port of the application without console framing (CONFIG_UART_MCUMGR_RAW_PROTOCOL, Zephyr 4.4).
	// Two packets of which parts arrive together are lost, as is one that is followed by anything else. The
	// bootloader's framing is [SerialRecovery.Raw]. Neither prints anything: see Console.
	Raw bool

	// RXLines is the number of buffers for received lines. Zephyr's default is 2, so that a burst of more lines than
	// that loses some; on a UART at 115200 baud they are decoded in time, over USB often not. 0: always enough.
	RXLines  int
	LineSize int           // bytes of a line buffer, newline included; longer lines are ignored; 0: 128
	LineTime time.Duration // how long a line occupies its buffer, if RXLines is set; 0: 100 µs

	Baud    int           // bits per second of the streams in each direction, 10 per byte; 0: as fast as possible
	Latency time.Duration // from the moment an answer is sent until the host can see it

	// Console prints on the streams what MCUboot and Zephyr say at boot, the reason for refusing an image among it. A
	// UART loses what nobody listens to; a USB port keeps it for the next host. A port with raw framing is no console.
	Console bool
	Noise   bool // prints log lines, colours and prompts between the frames and lines of the streams

	// Faults are what goes wrong.
	Faults Faults
}

// fill replaces zero values by their defaults and checks the rest. Layout defaults wait until the flash file is known.
func (o Options) fill() (Options, error) {
	o.BufSize = or(o.BufSize, defaultBufSize)
	o.BufCount = or(o.BufCount, defaultBufCount)
	o.LineSize = or(o.LineSize, defaultLineSize)
	o.LineTime = or(o.LineTime, defaultLineTime)
	o.ResetDelay = max(0, or(o.ResetDelay, defaultResetDelay))
	o.BootTime = max(0, or(o.BootTime, defaultBootTime))
	o.SwapTime = max(0, or(o.SwapTime, defaultSwapTime))
	o.AlignWrite = max(o.AlignWrite, 1)
	o.SerialRecovery = o.SerialRecovery.fill()
	o.Board = or(o.Board, "native_sim")
	o.Kernel = or(o.Kernel, "4.4.0")
	o.Console = o.Console && !o.Raw && !o.SerialRecovery.Raw
	return o, o.check()
}

func (o Options) check() error {
	switch {
	case o.Mode < 0 || int(o.Mode) >= len(modeNames):
		return fmt.Errorf("virtual device: unknown boot mode %d", int(o.Mode))
	case o.Images < 0 || o.Images > maxImages:
		return fmt.Errorf("virtual device: %d images, possible are 1 to %d", o.Images, maxImages)
	case o.SlotSize%Sector != 0 || o.SlotSize < 0 || o.SlotSize > maxSlotSize || o.SlotSize == Sector ||
		o.SlotSize == 2*Sector:
		return fmt.Errorf("virtual device: slot size %d is not a multiple of %d between %d and %d",
			o.SlotSize, Sector, 3*Sector, maxSlotSize)
	case o.BufSize < 64 || o.BufSize > 65535:
		return fmt.Errorf("virtual device: buffer size %d, possible are 64 to 65535", o.BufSize)
	case o.BufCount < 1 || o.BufCount > 1024:
		return fmt.Errorf("virtual device: buffer count %d, possible are 1 to 1024", o.BufCount)
	case o.RXLines < 0 || o.RXLines > 1<<16:
		return fmt.Errorf("virtual device: %d receive lines, possible are 0 to %d", o.RXLines, 1<<16)
	case o.LineSize < 8 || o.LineSize > 1<<16:
		return fmt.Errorf("virtual device: line size %d, possible are 8 to %d", o.LineSize, 1<<16)
	case o.LineTime < 0 || o.EraseTime < 0 || o.Latency < 0 || o.RecoveryWindow < 0:
		return fmt.Errorf("virtual device: a time is negative")
	case o.SerialRecovery.Absent && (o.Recovery || o.Blank || o.RecoveryWindow > 0):
		return fmt.Errorf("virtual device: without serial recovery the device needs an application")
	case o.FSSize < 0:
		return fmt.Errorf("virtual device: file system of %d bytes", o.FSSize)
	case o.Baud < 0:
		return fmt.Errorf("virtual device: baud rate %d is negative", o.Baud)
	}
	if err := o.checkKeys(); err != nil {
		return err
	}
	if err := o.SerialRecovery.check(); err != nil {
		return err
	}
	return o.Faults.check()
}

// checkKeys refuses what Zephyr's build of MCUboot refuses: more than eight keys, or keys of several types.
func (o Options) checkKeys() error {
	const most = 8 // MCUboot docs/readme-zephyr.md
	switch n := 1 + len(o.MoreKeys); {
	case n == 1:
		return nil
	case o.Key == nil:
		return fmt.Errorf("virtual device: more keys, and not the first one")
	case n > most:
		return fmt.Errorf("virtual device: %d keys, possible are %d", n, most)
	}
	for _, k := range o.MoreKeys {
		if reflect.TypeOf(k) != reflect.TypeOf(o.Key) {
			return fmt.Errorf("virtual device: keys of different types")
		}
	}
	return nil
}

// or is cmp.Or for two values, spelled so that the table in fill reads well.
func or[T comparable](v, instead T) T {
	var zero T
	if v == zero {
		return instead
	}
	return v
}
