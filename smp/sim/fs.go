package sim

import (
	"crypto/sha256"
	"hash/crc32"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// Limits of the file system group (Zephyr subsys/mgmt/mcumgr/grp/fs_mgmt/Kconfig).
const (
	fsPathLen  = 64 // CONFIG_MCUMGR_GRP_FS_PATH_LEN
	fsTypeLen  = 8
	fsIdleTime = 4 * time.Second // after which an open file is closed
	// fsReadCost is what a piece of a file costs beside its bytes in the packet buffer, for files of up to 4 GiB
	// (fs_mgmt_config.h: CBOR_AND_OTHER_HDR).
	fsReadCost = smp.HeaderLen + (9 + 1) + (1 + 3 + 5) + (1 + 4 + 5) + (1 + 2 + 1) + (1 + 3 + 5)
)

// fsCommand is the table of the file system group (Zephyr smp_group_8.rst, fs_mgmt.c). Closing came with files that
// stay open.
func (d *Device) fsCommand(id uint8) command {
	o := &d.o
	switch {
	case id == 0:
		return command{read: fsDownload, write: fsUpload}
	case id == 1:
		return command{read: fsStatus}
	case id == 2 && !o.NoFileHash:
		return command{read: fsHash}
	case id == 3 && !o.NoFileHash:
		return command{read: fsHashTypes}
	case id == 4 && !o.Legacy:
		return command{write: fsClose}
	}
	return command{}
}

// openFile is the one file that the server keeps open between requests (fs_mgmt.c: fs_mgmt_ctxt). Like littlefs it
// shows what was written only once it is closed, and a reset before that leaves the older file.
type openFile struct {
	name    string // empty: none is open
	writing bool
	off     int
	size    int // that was announced, or that the file had; 0 if that is not known
	content []byte
	idle    *time.Timer
}

// closeFile closes the open file. The device's lock is held.
func (c *call) closeFile() { c.prog.closeFile(c.d) }

func (prog *program) closeFile(d *Device) {
	f := &prog.file
	if f.name == "" {
		return
	}
	if f.writing {
		d.keep(d.files.put(f.name, f.content))
	}
	f.idle.Stop()
	*f = openFile{}
}

// touch starts the idle time of the open file again, or closes a file that is complete.
func (c *call) touch() {
	f := &c.prog.file
	if f.size > 0 && f.off >= f.size {
		c.closeFile()
		return
	}
	f.idle.Reset(fsIdleTime)
}

// open makes f the open file. Its timer closes it.
func (c *call) open(f openFile) {
	d, prog := c.d, c.prog
	var mine *time.Timer
	mine = time.AfterFunc(fsIdleTime, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if prog.file.idle == mine && prog.alive() {
			prog.closeFile(d)
		}
	})
	f.idle = mine
	prog.file = f
}

// fileName checks a name as every command does first.
func fileName(name string) *failure {
	if name == "" || len(name) > fsPathLen {
		return protocolFailure(rcInvalid)
	}
	return nil
}

func fsStatus(c *call) *failure {
	var name string
	if f := c.arguments(argText("name", &name)); f != nil {
		return f
	}
	if f := fileName(name); f != nil {
		return f
	}
	content, rc := c.d.files.get(name)
	if rc != 0 {
		return fsFailure(rc)
	}
	c.w.text("len")
	c.w.uint(uint64(len(content)))
	return nil
}

func fsHash(c *call) *failure {
	var name, kind string
	off, size := uint32(0), uint32(none)
	if f := c.arguments(argText("type", &kind), argText("name", &name), argUint("off", &off),
		argUint("len", &size)); f != nil {
		return f
	}
	if f := fileName(name); f != nil || len(kind) > fsTypeLen || size == 0 {
		return protocolFailure(rcInvalid)
	}
	if kind == "" {
		kind = "crc32"
	}
	if kind != "crc32" && kind != "sha256" {
		return fsFailure(fsHashNotFound)
	}
	content, rc := c.d.files.get(name)
	switch {
	case rc != 0:
		return fsFailure(rc)
	case len(content) == 0:
		return fsFailure(fsEmpty)
	case int(off) >= len(content):
		return fsFailure(fsBehindEnd)
	}
	content = content[off:]
	content = content[:min(len(content), int(size))]
	c.w.text("type")
	c.w.text(kind)
	if off != 0 {
		c.w.text("off")
		c.w.uint(uint64(off))
	}
	c.w.text("len")
	c.w.uint(uint64(len(content)))
	c.w.text("output")
	if kind == "crc32" {
		c.w.uint(uint64(crc32.ChecksumIEEE(content)))
		return nil
	}
	sum := sha256.Sum256(content)
	c.w.bytes(sum[:])
	return nil
}

func fsHashTypes(c *call) *failure {
	c.w.text("types")
	c.w.openMap()
	for _, t := range []struct {
		name         string
		format, size uint64
	}{{"crc32", 0, 4}, {"sha256", 1, sha256.Size}} {
		c.w.text(t.name)
		c.w.openMap()
		c.w.text("format")
		c.w.uint(t.format)
		c.w.text("size")
		c.w.uint(t.size)
		c.w.close()
	}
	c.w.close()
	return nil
}

func fsClose(c *call) *failure {
	c.closeFile()
	return nil
}
