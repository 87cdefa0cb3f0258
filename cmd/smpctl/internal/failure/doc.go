// Package failure says what an error means, in one place for all commands: its kind, the exit code that goes with it,
// and the hint that says what to do. It is pure: errors in, words out.
//
// Errors of the libraries are known by their types. A command that knows more adds it to the error: [WithHint],
// [WithKind], [AsUsage].
package failure
