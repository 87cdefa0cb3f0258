//go:build !linux && !windows && !darwin

package transport

import "errors"

func systemPorts() ([]Port, error) { return nil, errors.ErrUnsupported }
