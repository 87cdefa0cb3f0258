package schema

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"
)

// dialect is the version of JSON Schema.
const dialect = "https://json-schema.org/draft/2020-12/schema"

// Make writes the schema of what is any one of the types.
func Make(title string, types ...reflect.Type) ([]byte, error) {
	return (&maker{}).schema(title, types...)
}

// MakeEvent writes the schema of an event of this name.
func MakeEvent(event, title string, t reflect.Type) ([]byte, error) {
	return (&maker{event: event}).schema(title, t)
}

func (m *maker) schema(title string, types ...reflect.Type) ([]byte, error) {
	m.defs = map[string]reflect.Type{}
	s := object{{"$schema", dialect}, {"title", title}}
	if len(types) == 1 {
		var board []member
		if m.event != "" {
			board = []member{boardOfEvent}
		}
		s = append(s, m.structure(types[0], board...)...)
	} else {
		var any []object
		for _, t := range types {
			any = append(any, m.structure(t))
		}
		s = append(s, member{"anyOf", any})
	}
	if defs := m.definitions(); len(defs) > 0 {
		s = append(s, member{"$defs", defs})
	}
	if len(m.problems) > 0 {
		return nil, fmt.Errorf("%s:\n%s", title, strings.Join(m.problems, "\n"))
	}
	text, err := json.MarshalIndent(s, "", "  ")
	return append(text, '\n'), err
}

// object is a JSON object that keeps the order of its members.
type object []member

type member struct {
	key   string
	value any
}

func (o object) MarshalJSON() ([]byte, error) {
	text := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			text = append(text, ',')
		}
		key, err := json.Marshal(m.key)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		text = append(append(append(text, key...), ':'), value...)
	}
	return append(text, '}'), nil
}

// maker makes one schema.
type maker struct {
	event    string                  // that is described; empty for a result
	defs     map[string]reflect.Type // the types of objects inside others, by name
	order    []string                // of defs
	problems []string                // what makes the schema useless
}

func (m *maker) problem(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(m.problems, text) {
		m.problems = append(m.problems, text)
	}
}

// definitions are the schemas of all objects that others hold.
func (m *maker) definitions() object {
	var defs object
	for i := 0; i < len(m.order); i++ { // each may name more
		name := m.order[i]
		defs = append(defs, member{name, m.structure(m.defs[name])})
	}
	return defs
}

// boardOfEvent is the key that every line of standard error may begin with.
var boardOfEvent = member{"board", object{
	{"description", "name of the board that it is about; absent if the command is not about several"},
	{"type", "string"}}}

// structure is the schema of an object. What its type does not say comes first.
func (m *maker) structure(t reflect.Type, more ...member) object {
	s, err := sourceOf(t)
	if err != nil {
		m.problem("%v", err)
		return nil
	}
	properties := object(more)
	required := []string{}
	m.properties(t, &properties, &required)
	o := object{{"type", "object"}, {"properties", properties}, {"required", required}, {"additionalProperties", false}}
	if s.types[nameOf(t)] == "" {
		m.problem("%s has no comment", t)
	}
	return append(object{{"description", s.types[nameOf(t)]}}, o...)
}

// properties adds the keys of a struct as encoding/json writes them.
func (m *maker) properties(t reflect.Type, to *object, required *[]string) {
	s, err := sourceOf(t)
	if err != nil {
		m.problem("%v", err)
		return
	}
	for i := range t.NumField() {
		f := t.Field(i)
		key, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && key == "":
			m.properties(f.Type, to, required)
			continue
		case !f.IsExported(), key == "-":
			continue
		}
		schema := m.value(f.Type)
		if key == "event" && m.event != "" {
			schema = append(schema, member{"const", m.event})
		}
		described := meaning(key, s.fields[nameOf(t)][f.Name])
		if described == "" {
			m.problem("%s.%s: the key %s has neither a comment nor an entry in the vocabulary", t, f.Name, key)
		}
		if unit := unitOf(key); !strings.Contains(described, strings.TrimSuffix(unit, "s")) {
			described += ", in " + unit
		}
		if problem := checkKey(key, f.Type); problem != "" {
			m.problem("%s.%s: %s", t, f.Name, problem)
		}
		*to = append(*to, member{key, describe(described, schema)})
		if options == "" {
			*required = append(*required, key)
		}
	}
}

// describe puts a description before what the schema says of the values.
func describe(text string, schema object) object {
	if len(schema) > 0 && schema[0].key == "description" {
		text += ": " + schema[0].value.(string)
		schema = schema[1:]
	}
	return append(object{{"description", text}}, schema...)
}

// value is the schema of a value.
func (m *maker) value(t reflect.Type) object {
	if t == reflect.TypeFor[time.Time]() {
		return object{{"type", "string"}, {"format", "date-time"}}
	}
	if t == reflect.TypeFor[json.RawMessage]() {
		return object{}
	}
	if t.Implements(reflect.TypeFor[encoding.TextMarshaler]()) {
		return object{{"type", "string"}}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return m.value(t.Elem())
	case reflect.Struct:
		return m.reference(t)
	case reflect.Slice:
		return object{{"type", "array"}, {"items", m.value(t.Elem())}}
	case reflect.Map:
		return object{{"type", "object"}, {"additionalProperties", m.value(t.Elem())}}
	case reflect.Interface:
		return object{}
	case reflect.String:
		return m.text(t)
	case reflect.Bool:
		return object{{"type", "boolean"}}
	case reflect.Float64:
		return object{{"type", "number"}}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return object{{"type", "integer"}, {"minimum", 0}}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return object{{"type", "integer"}}
	}
	m.problem("%s has no schema", t)
	return nil
}

// text is the schema of a text; of a type with constants, one of them.
func (m *maker) text(t reflect.Type) object {
	s, err := sourceOf(t)
	if err != nil {
		m.problem("%v", err)
		return nil
	}
	values := s.values[nameOf(t)]
	if len(values) == 0 {
		return object{{"type", "string"}}
	}
	var texts, described []string
	for _, v := range values {
		texts = append(texts, v.text)
		if v.comment != "" {
			v.text += " (" + v.comment + ")"
		}
		described = append(described, v.text)
	}
	return object{{"description", strings.Join(described, ", ")}, {"enum", texts}}
}

// reference names the schema of an object.
func (m *maker) reference(t reflect.Type) object {
	name := snake(nameOf(t))
	if other, ok := m.defs[name]; !ok {
		m.defs[name] = t
		m.order = append(m.order, name)
	} else if other != t {
		m.problem("%s and %s have one name", t, other)
	}
	return object{{"$ref", "#/$defs/" + name}}
}

// nameOf is the name of a type in its source, where a generic one has no arguments.
func nameOf(t reflect.Type) string {
	name, _, _ := strings.Cut(t.Name(), "[")
	return name
}

// snake writes a Go name as a key.
func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 && !unicode.IsUpper(rune(name[i-1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
