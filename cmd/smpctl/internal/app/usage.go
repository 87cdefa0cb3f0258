package app

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// FlagError says in our words what is wrong with a flag.
func FlagError(cmd *cobra.Command, err error) error {
	var (
		unknown   *pflag.NotExistError
		valueless *pflag.ValueRequiredError
		wrong     *pflag.InvalidValueError
		malformed *pflag.InvalidSyntaxError
	)
	switch {
	case errors.As(err, &unknown) && groups(cmd) && cmd.Flags().NArg() > 0:
		return UnknownCommand(cmd, cmd.Flags().Arg(0)) // whose flag it may be
	case errors.As(err, &unknown):
		return unknownFlag(cmd, unknown)
	case errors.As(err, &valueless):
		name := typed(valueless.GetSpecifiedName(), valueless.GetSpecifiedShortnames())
		return failure.Usage("%s needs a value: %s %s", name, name, ValueName(valueless.GetFlag()))
	case errors.As(err, &wrong):
		return failure.Usage("--%s %s: %s", wrong.GetFlag().Name, quoted(wrong.GetValue()), wanted(wrong))
	case errors.As(err, &malformed):
		return failure.Usage("%s is not the name of a flag", quoted(malformed.GetSpecifiedFlag()))
	}
	return err
}

// typed is a flag as the user wrote it. One letter may have stood among others: -qx.
func typed(name, letters string) string {
	if letters != "" {
		return "-" + name[:1]
	}
	return "--" + name
}

// wanted says what value a flag wants. Our own types of flags say so themselves.
func wanted(e *pflag.InvalidValueError) string {
	var number *strconv.NumError
	cause := errors.Unwrap(e)
	switch kind := e.GetFlag().Value.Type(); {
	case kind == "bool":
		return "want true or false"
	case errors.As(cause, &number):
		return "want a whole number"
	}
	return cause.Error()
}

// ValueName is what stands for the value of a flag in its usage: NAME in --conn NAME. It is empty for a flag that is
// on or off.
func ValueName(f *pflag.Flag) string {
	name, _ := pflag.UnquoteUsage(f)
	switch name {
	case "int", "uint", "uint8", "uint32", "int64":
		return "N"
	case "string":
		return "TEXT"
	case "choice": // --boot-mode MODE
		name = f.Name[strings.LastIndex(f.Name, "-")+1:]
	}
	return strings.ToUpper(name)
}

// plain reports whether a value needs no quotes to be told from the words around it.
func plain(s string) bool {
	if s == "" || strings.HasPrefix(s, "--") {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_.:/+=@~-", r)
	})
}

// quoted shows a text of the user in a sentence, in quotes where it could be taken for a part of that, and not all of
// one without end.
func quoted(s string) string {
	if s = ellipsis(s); plain(s) {
		return s
	}
	return strconv.Quote(s)
}

// ellipsis shortens a text without end.
func ellipsis(s string) string {
	const most = 80
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}

// Annotations of a command that say what its flags have to do with each other.
const (
	requiredFlags  = "smpctl_required"  // names of those that have to be there
	exclusiveFlags = "smpctl_exclusive" // names of two that contradict each other
)

// Require makes flags of a command ones that have to be there.
func Require(cmd *cobra.Command, names ...string) { annotate(cmd, requiredFlags, names) }

// Exclude has a command refuse a command line with both of two flags.
func Exclude(cmd *cobra.Command, one, other string) {
	annotate(cmd, exclusiveFlags, []string{one, other})
}

func annotate(cmd *cobra.Command, key string, names []string) {
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	cmd.Annotations[key] = strings.Join(names, " ")
}

// Required reports whether a command cannot begin without a flag.
func Required(cmd *cobra.Command, f *pflag.Flag) bool {
	for name := range strings.FieldsSeq(cmd.Annotations[requiredFlags]) {
		if name == f.Name {
			return true
		}
	}
	return false
}

// checkFlags refuses a command line in which flags are missing or contradict each other.
func checkFlags(cmd *cobra.Command) error {
	if err := checkRequired(cmd); err != nil {
		return err
	}
	return checkExclusive(cmd)
}

func checkRequired(cmd *cobra.Command) error {
	var missing []string
	for name := range strings.FieldsSeq(cmd.Annotations[requiredFlags]) {
		if !cmd.Flags().Changed(name) {
			missing = append(missing, "--"+name)
		}
	}
	switch n := len(missing); n {
	case 0:
		return nil
	case 1:
		return asUsedIn(cmd, failure.Usage("%s: %s is missing", shortPath(cmd), missing[0]))
	default:
		return asUsedIn(cmd, failure.Usage("%s: %s are missing", shortPath(cmd), human.And(missing)))
	}
}

// checkExclusive refuses a command line in which two flags contradict each other.
func checkExclusive(cmd *cobra.Command) error {
	one, other, ok := strings.Cut(cmd.Annotations[exclusiveFlags], " ")
	if ok && cmd.Flags().Changed(one) && cmd.Flags().Changed(other) {
		return failure.Usage("%s: --%s and --%s contradict each other", shortPath(cmd), one, other)
	}
	return nil
}

// unknownFlag says which flag may have been meant.
func unknownFlag(cmd *cobra.Command, e *pflag.NotExistError) error {
	name := e.GetSpecifiedName()
	letters := e.GetSpecifiedShortnames()
	err := failure.Usage("unknown flag %s", quotedFlag(typed(name, letters)))
	if near := flagsLike(cmd, name, letters != ""); len(near) > 0 {
		return failure.WithHint(err, fmt.Sprintf("did you mean %s? %s lists the flags", human.Or(near), helpOf(cmd)))
	}
	return err
}

// quotedFlag is quoted for a name behind dashes.
func quotedFlag(s string) string {
	dashes := s[:len(s)-len(strings.TrimLeft(s, "-"))]
	if name := quoted(s[len(dashes):]); !strings.HasPrefix(name, `"`) {
		return dashes + name
	}
	return quoted(s)
}
