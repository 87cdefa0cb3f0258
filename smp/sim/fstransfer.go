package sim

import "github.com/smpctl/smpctl/smp"

func fsUpload(c *call) *failure {
	var name string
	var data []byte
	off, size := uint32(none), uint32(none)
	if f := c.arguments(argUint("off", &off), argText("name", &name), argBytes("data", &data),
		argUint("len", &size)); f != nil {
		return f
	}
	if f := fileName(name); f != nil || off == none || off == 0 && size == none {
		return protocolFailure(rcInvalid)
	}
	if c.d.o.Legacy {
		return c.legacyUpload(name, int(off), int(size), data)
	}
	file := &c.prog.file
	if file.name != name || !file.writing {
		c.closeFile()
		if rc := c.d.files.writable(name); rc != 0 {
			return fsFailure(rc)
		}
		content, _ := c.d.files.get(name)
		c.open(openFile{name: name, writing: true, content: append([]byte(nil), content...)})
	}
	if off == 0 {
		file.size = int(size)
	} else if file.off == 0 {
		file.off = len(file.content)
	}
	if off > 0 && int(off) != file.off {
		return c.wrongOffset()
	}
	return c.write(int(off), data)
}

// wrongOffset refuses a chunk with the size of the file, which it closes.
func (c *call) wrongOffset() *failure {
	size := c.prog.file.off
	c.closeFile()
	if c.header.Version == smp.V1 {
		return fsFailure(fsOffsetNotValid)
	}
	c.groupError(int(smp.GroupFS), fsOffsetNotValid)
	c.w.text("len")
	c.w.uint(uint64(size))
	return nil
}

// write appends data to the open file; at offset 0 it empties the file first. The offset that the server believes in is
// not set back then, so a first chunk that comes twice is counted twice.
func (c *call) write(off int, data []byte) *failure {
	file := &c.prog.file
	if len(data) > 0 {
		if off == 0 {
			file.content = file.content[:0]
		}
		if c.d.files.free(file.name)-len(file.content) < len(data) {
			c.closeFile()
			return fsFailure(fsWriteFailed)
		}
		file.content = append(file.content, data...)
		file.off += len(data)
	}
	at := file.off
	c.touch()
	c.w.text("off")
	c.w.uint(uint64(at))
	return nil
}

// legacyUpload is how servers did it before they kept files open: as with images.
func (c *call) legacyUpload(name string, off, size int, data []byte) *failure {
	file := &c.prog.file
	if off == 0 {
		if rc := c.d.files.writable(name); rc != 0 {
			return fsFailure(rc)
		}
		c.closeFile()
		c.open(openFile{name: name, writing: true, size: size})
		c.d.keep(c.d.files.put(name, nil))
	} else if file.name == "" {
		return protocolFailure(rcInvalid)
	}
	if off == file.off {
		if c.d.files.free(name)-len(file.content) < len(data) {
			return fsFailure(fsWriteFailed)
		}
		file.content = append(file.content, data...)
		file.off += len(data)
	}
	at := file.off
	c.d.keep(c.d.files.put(file.name, append([]byte(nil), file.content...)))
	c.touch()
	c.w.text("rc")
	c.w.int(0)
	c.w.text("off")
	c.w.uint(uint64(at))
	return nil
}

func fsDownload(c *call) *failure {
	var name string
	off := uint32(none)
	if f := c.arguments(argUint("off", &off), argText("name", &name)); f != nil {
		return f
	}
	if f := fileName(name); f != nil || off == none {
		return protocolFailure(rcInvalid)
	}
	file := &c.prog.file
	if file.name != name || file.writing {
		c.closeFile()
		content, rc := c.d.files.get(name)
		if rc != 0 {
			return fsFailure(rc)
		}
		c.open(openFile{name: name, size: len(content), content: content})
	}
	rest := file.content[min(int(off), len(file.content)):]
	piece := rest[:max(min(len(rest), c.d.o.BufSize-fsReadCost), 0)]
	file.off = int(off) + len(piece)
	size := file.size
	c.touch()
	if c.d.o.Legacy {
		c.w.text("rc")
		c.w.int(0)
	}
	c.w.text("off")
	c.w.uint(uint64(off))
	c.w.text("data")
	c.w.bytes(piece)
	if off == 0 {
		c.w.text("len")
		c.w.uint(uint64(size))
	}
	return nil
}
