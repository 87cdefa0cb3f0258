// Package secret has what nobody else may see: passphrases, PINs, and private keys. A secret comes from a file, from
// the environment, or is typed; never from an argument, which everyone on the machine can read. This is the one place
// that asks on the terminal.
//
// A command says in a [Source] where its secrets come from, and hands that down to whoever needs one.
package secret
