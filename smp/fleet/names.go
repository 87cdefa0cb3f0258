package fleet

import "strings"

// name gives each board the best name that no other board could have too. Its port is one always: whoever else has that
// as a serial number gets another name.
func name(boards []Board) {
	owners := map[string]map[int]bool{} // of a text: the boards that have it
	for i, b := range boards {
		for _, text := range b.names() {
			if owners[text] == nil {
				owners[text] = map[int]bool{}
			}
			owners[text][i] = true
		}
	}
	for i, b := range boards {
		boards[i].Name = b.Port
		names := b.names()
		for n, text := range []string{b.Serial, b.Location} {
			if text != "" && len(owners[names[n]]) == 1 {
				boards[i].Name = text
				break
			}
		}
	}
}

// names are the texts that a board could be named with, the best first, and in small letters: names that differ in case
// alone are one name to people.
func (b Board) names() [3]string {
	return [...]string{strings.ToLower(b.Serial), strings.ToLower(b.Location), strings.ToLower(b.Port)}
}
