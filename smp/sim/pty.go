package sim

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/smpctl/smpctl/smp/sim/pty"
)

// ServePTY offers the device as a serial port of the system: link becomes a symbolic link to a pseudo-terminal. At a
// reset both vanish, as a USB port does, and they come back, possibly under another name, when the application runs
// again. ready, if it is not nil, is called with the name of the terminal each time it is there; it must not block.
//
// A link that exists is replaced, any other file is left alone and an error. ServePTY blocks until ctx ends or the
// device is closed, which give nil, and removes the link. It works on Linux only; elsewhere the error matches
// [errors.ErrUnsupported].
func (d *Device) ServePTY(ctx context.Context, link string, ready func(name string)) error {
	if err := replaceable(link); err != nil {
		return err
	}
	for {
		if d.WaitAlive(ctx) != nil {
			return nil
		}
		if err := d.onePTY(ctx, link, ready); err != nil {
			return fmt.Errorf("serve virtual device: %w", err)
		}
		if d.over(ctx) {
			return nil
		}
	}
}

// onePTY serves one pseudo-terminal until the device resets or serving ends.
func (d *Device) onePTY(ctx context.Context, link string, ready func(name string)) (err error) {
	master, name, err := pty.Open()
	if err != nil {
		return err
	}
	// While nobody has the other end open the master would fail; a port waits for its next user instead.
	slave, err := os.OpenFile(name, os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		master.Close()
		return err
	}
	defer slave.Close()
	if err := pointTo(link, name); err != nil {
		master.Close()
		return err
	}
	if ready != nil {
		ready(name)
	}
	d.attend(ctx, linkedPTY{master, link, name}, d.newStream(true))
	return nil
}

// linkedPTY is a pseudo-terminal that takes its link along when it goes.
type linkedPTY struct {
	*os.File
	link, name string
}

// Close removes the link first: whoever sees the port end must not find it again.
func (p linkedPTY) Close() error {
	removeLink(p.link, p.name)
	return p.File.Close()
}

// replaceable reports why a name cannot become a link.
func replaceable(link string) error {
	info, err := os.Lstat(link)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode()&fs.ModeSymlink == 0:
		return &fs.PathError{Op: "symlink", Path: link, Err: fs.ErrExist}
	}
	return nil
}

// pointTo makes link point to a name. There is no moment without a link if there was one before.
func pointTo(link, name string) error {
	if err := os.Symlink(name, link); !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := replaceable(link); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(filepath.Dir(link), ".pty-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	next := filepath.Join(dir, "link")
	if err := os.Symlink(name, next); err != nil {
		return err
	}
	return os.Rename(next, link)
}

// removeLink removes the link if it still points to a name.
func removeLink(link, name string) {
	if to, err := os.Readlink(link); err == nil && to == name {
		os.Remove(link)
	}
}
