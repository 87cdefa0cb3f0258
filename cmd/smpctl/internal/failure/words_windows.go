package failure

import "syscall"

// wordsFor returns Unix' words for an error of Windows (winerror.h); empty if there are none.
func wordsFor(code syscall.Errno) string {
	switch code {
	case 2, 3, 15: // ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND, ERROR_INVALID_DRIVE
		return "no such file or directory"
	case 5: // ERROR_ACCESS_DENIED
		return "permission denied"
	case 19: // ERROR_WRITE_PROTECT
		return "read-only file system"
	case 31, 433, 1167: // ERROR_GEN_FAILURE, ERROR_NO_SUCH_DEVICE, ERROR_DEVICE_NOT_CONNECTED
		return "the device does not answer its driver"
	case 121: // ERROR_SEM_TIMEOUT
		return "the driver has waited in vain for the device"
	case 32, 33: // ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION
		return "in use by another program"
	case 39, 112: // ERROR_HANDLE_DISK_FULL, ERROR_DISK_FULL
		return "no space left on device"
	case 80, 183: // ERROR_FILE_EXISTS, ERROR_ALREADY_EXISTS
		return "file exists"
	case 123, 161: // ERROR_INVALID_NAME, ERROR_BAD_PATHNAME
		return "not a file name"
	case 206: // ERROR_FILENAME_EXCED_RANGE
		return "file name too long"
	case 267: // ERROR_DIRECTORY
		return "not a directory"
	case 10051: // WSAENETUNREACH
		return "network is unreachable"
	case 10053, 10054: // WSAECONNABORTED, WSAECONNRESET
		return "connection reset by peer"
	case 10060: // WSAETIMEDOUT
		return "connection timed out"
	case 10065: // WSAEHOSTUNREACH
		return "no route to host"
	}
	return ""
}
