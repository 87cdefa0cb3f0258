// Package cli puts the commands of all rooms together into one tree: their order in the help, completion, the version.
// It knows every room of commands, and nobody knows it but the program.
package cli
