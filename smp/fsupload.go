package smp

import (
	"context"
	"fmt"
)

// FileUpload adjusts [FSGroup.Upload].
type FileUpload struct {
	Restart    bool           // send all of it, even if the device has the file or the beginning of it
	OnProgress func(Progress) // called on the caller's goroutine after every answer; must not block
}

// FileUploadResult says how the upload of a file went.
type FileUploadResult struct {
	AlreadyPresent bool       // the device had the file, and nothing was sent
	ResumedFrom    int        // offset in bytes at which an earlier upload was taken up; 0 if from the start
	Resent         int        // bytes that were sent more than once
	ComparedBy     Comparison // by which the device's file was compared with data afterwards
}

// Upload writes a file on the device, over one that is there, and returns when it is closed and its hash is that of
// data; a device without hashes is asked for the size. The protocol has no temporary files: while an upload runs, and
// after it was interrupted, the device holds part of the file under its name. The next upload goes on there if the
// device's hash shows that the part is the beginning of data. data must not change meanwhile.
func (g FSGroup) Upload(ctx context.Context, name string, data []byte, o FileUpload) (FileUploadResult, error) {
	if err := checkName(fsUpload.name, name); err != nil {
		return FileUploadResult{}, err
	}
	params, err := g.c.Negotiate(ctx)
	if err != nil {
		return FileUploadResult{}, fmt.Errorf("%s: %w", fsUpload.name, err)
	}
	// A file that is open hides its size, and Zephyr counts the first chunk twice if it is one of this name.
	appends, err := g.closeAny(ctx)
	if err != nil {
		return FileUploadResult{}, err
	}
	p, err := g.newComparer(ctx)
	if err != nil {
		return FileUploadResult{}, err
	}
	var r FileUploadResult
	if !o.Restart {
		if r.ResumedFrom, r.ComparedBy, err = g.present(ctx, p, name, data); err != nil {
			return FileUploadResult{}, err
		}
	}
	if r.AlreadyPresent = r.ResumedFrom == len(data) && len(data) > 0; r.AlreadyPresent {
		return r, nil
	}
	if !appends {
		r.ResumedFrom = 0
	}
	if r.Resent, err = g.send(ctx, name, data, r.ResumedFrom, o, params); err != nil {
		return r, err
	}
	if _, err := g.closeAny(ctx); err != nil {
		return r, err
	}
	r.ComparedBy, err = p.check(ctx, fsUpload.name, name, fileSumsOf(data))
	return r, err
}

// send brings data[start:] to the device and says how many bytes went there more than once.
func (g FSGroup) send(
	ctx context.Context, name string, data []byte, start int, o FileUpload, params Params,
) (resent int, err error) {
	if len(data) == 0 {
		return 0, g.create(ctx, name)
	}
	t := newTransfer(g.c, newFilePayload(g.c, name, data), transferOptions{
		size: len(data), start: start, limit: g.c.PacketLimit(), params: params, onProgress: o.OnProgress,
	})
	err = t.run(ctx)
	return t.resent, err
}

// present is how much of data the device has for certain: its file is the beginning of data, by its hash.
func (g FSGroup) present(ctx context.Context, p *comparer, name string, data []byte) (int, Comparison, error) {
	size, err := g.Size(ctx, name)
	switch {
	case refusedAs(err, fsInvalidName, fsIsDirectory):
		return 0, NotCompared, err
	case isRefusal(err): // a missing file, most often; for the rest the upload has the better error
		return 0, NotCompared, nil
	case err != nil:
		return 0, NotCompared, err
	case size == 0 || size > int64(len(data)):
		return 0, NotCompared, nil
	}
	same, proof, err := p.equal(ctx, name, fileSumsOf(data[:size]))
	if err != nil || !same || proof == ComparedSize || proof == NotCompared {
		return 0, NotCompared, err
	}
	return int(size), proof, nil
}

// create makes an empty file. Zephyr leaves an older one of this name as it is, which the check afterwards finds.
func (g FSGroup) create(ctx context.Context, name string) error {
	zero := uint(0)
	_, err := fsUpload.do(ctx, g.c, uploadRequest{Name: name, Length: &zero, Data: []byte{}})
	return err
}
