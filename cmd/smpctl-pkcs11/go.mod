// A module of its own, because it needs cgo: the rest of smpctl does without.
module github.com/smpctl/smpctl/cmd/smpctl-pkcs11

go 1.26.0

require github.com/miekg/pkcs11 v1.1.2
