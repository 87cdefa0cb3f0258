package schema

import (
	"bytes"
	"fmt"
	"path/filepath"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Validator holds JSON against the files of docs/schema. Several goroutines may use it.
type Validator struct {
	Folder string // that is docs/schema

	mu       sync.Mutex
	compiled map[string]*jsonschema.Schema
}

// Validate holds one document against a file of docs/schema.
func (v *Validator) Validate(file string, document []byte) error {
	s, err := v.schema(file)
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		return fmt.Errorf("%s: not one JSON document: %w: %q", file, err, document)
	}
	if err := s.Validate(value); err != nil {
		return fmt.Errorf("%w: %s", err, document)
	}
	return nil
}

// schema reads a schema, which has to be a good one itself.
func (v *Validator) schema(file string) (*jsonschema.Schema, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if s, ok := v.compiled[file]; ok {
		return s, nil
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile(filepath.Join(v.Folder, file))
	if err != nil {
		return nil, err
	}
	if v.compiled == nil {
		v.compiled = map[string]*jsonschema.Schema{}
	}
	v.compiled[file] = s
	return s, nil
}
