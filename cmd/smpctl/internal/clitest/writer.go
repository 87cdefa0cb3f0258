//go:build !windows

package clitest

type WriterFunc func([]byte)

func (f WriterFunc) Write(b []byte) (int, error) {
	f(b)
	return len(b), nil
}
