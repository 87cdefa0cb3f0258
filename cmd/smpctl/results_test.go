package main

import (
	"encoding"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// jsonDocument is something that is written as JSON, and its keys.
type jsonDocument struct {
	document any
	want     string
}

// jsonDocuments are all of them: every result, and what is not the result of a command.
func jsonDocuments() []jsonDocument {
	const imageChanges = "images[]?.image images[]?.from.version images[]?.from.hash images[]?.to.version " +
		"images[]?.to.hash"
	return []jsonDocument{
		{imageList{},
			"images[].image images[].slot images[].version images[].hash images[].bootable images[].pending " +
				"images[].confirmed " +
				"images[].active images[].permanent split_status"},
		{slotList{}, "images[].image images[].slots[].slot images[].slots[].size images[].slots[].upload_image_id? " +
			"images[].slots[].errno? " +
			"images[].max_image_size?"},
		{uploadResult{}, "image bytes seconds bytes_per_second file_sha256 hash already_present resumed_from resent " +
			"link?.in_flight link?.packet_limit link?.line_gap link?.round_trip link?.lost"},
		{upgradeResult{},
			"result from.version from.hash to.version to.hash " + imageChanges +
				" device.port device.serial steps[].step steps[].seconds seconds " +
				"link?.in_flight link?.packet_limit link?.line_gap link?.round_trip link?.lost reason? console[]?"},
		{recoverResult{},
			"result from.version from.hash to.version to.hash " + imageChanges +
				" device.port device.serial steps[].step steps[].seconds seconds " +
				"link?.in_flight link?.packet_limit link?.line_gap link?.round_trip link?.lost reason? console[]?"},
		{dryRunResult{}, "from.version from.hash to.version to.hash " + imageChanges + " steps[]"},
		{resetResult{}, "reset back runs? seconds reason? console[]?"},
		{monitorResult{}, "port bytes dropped reconnects matched? seconds"},
		{portList{},
			"ports[].name ports[].usb ports[].vid? ports[].pid? ports[].serial? ports[].product? " +
				"ports[].manufacturer? " +
				"ports[].interface ports[].interface_name? ports[].location? ports[].probe?.smp " +
				"ports[].probe?.smp_version? ports[].probe?.runs? " +
				"ports[].probe?.version? ports[].probe?.hash? ports[].probe?.buf_size? ports[].probe?.buf_count? " +
				"ports[].probe?.kind? ports[].probe?.problem?"},
		{infoResult{}, "port serial? smp_version board? os? kernel? kernel_version? kernel_release? machine? " +
			"processor? built? datetime? buf_size? buf_count? runs " +
			"application?.version application?.hash bootloader?.bootloader bootloader?.mode bootloader?.mode_name " +
			"bootloader?.no_downgrade " +
			"images[].image images[].slot images[].version images[].hash images[].bootable images[].pending " +
			"images[].confirmed images[].active " +
			"images[].permanent slots[]?.image slots[]?.slots[].slot slots[]?.slots[].size " +
			"slots[]?.slots[].upload_image_id? " +
			"slots[]?.slots[].errno? slots[]?.max_image_size? groups[]?.group groups[]?.name groups[]?.device_name? " +
			"groups[]?.handlers? " +
			"tasks[]?.name tasks[]?.priority tasks[]?.id tasks[]?.state tasks[]?.runtime_cycles? " +
			"tasks[]?.context_switches? " +
			"tasks[]?.stack_used_bytes? tasks[]?.stack_bytes? tasks[]?.last_checkin? tasks[]?.next_checkin? " +
			"pools[]?.name pools[]?.block_bytes pools[]?.blocks pools[]?.free pools[]?.least_free"},
		{statResult{}, "name fields"},
		{namesResult{}, "names[]"},
		{doneResult{}, "done name?"},
		{settingResult{}, "name size hex text? int? uint? file?"},
		{bytesResult{}, "[]"}, // never JSON
		{configResult{}, "name value"},
		{shellResult{}, "status output"},
		{sessionResult{}, "commands[].command commands[].status commands[].output"},
		{enumResult{}, "groups[].group groups[].name groups[].device_name? groups[].handlers?"},
		{enumCount{}, "count"},
		{enumSingle{}, "group name last"},
		{rawResult{}, "group command op answer[] cbor"},
		{logResult{}, "next_index more logs[].name logs[].type logs[].entries[].index logs[].entries[].timestamp_us " +
			"logs[].entries[].module " +
			"logs[].entries[].level logs[].entries[].type logs[].entries[].image_hash? logs[].entries[].message"},
		{logModules{}, "modules[].name modules[].number"},
		{logLevels{}, "levels[].name levels[].number"},
		{crashResult{}, "crash answered"},
		{benchResult{}, "port smp_version runs buf_size? buf_count? packet_limit baud? no_echo? round_trip_seconds " +
			"measurements[].request measurements[].packet_bytes measurements[].lines measurements[].in_flight " +
			"measurements[].sent " +
			"measurements[].lost measurements[].round_trip_seconds measurements[].bytes_per_second " +
			"measurements[].wire_share? " +
			"limit reason lines_pass? upload?.packet_bytes upload?.chunk_bytes upload?.in_flight " +
			"upload?.bytes_per_second upload?.wire_share? " +
			"advice[].option advice[].value advice[].text advice[].bytes_per_second advice[].factor seconds"},
		{echoResult{}, "text seconds"},
		{paramsResult{}, "buf_size buf_count"},
		{osInfoResult{}, "output"},
		{bootloaderResult{}, "bootloader mode mode_name no_downgrade"},
		{taskResult{},
			"tasks[].name tasks[].priority tasks[].id tasks[].state tasks[].runtime_cycles? " +
				"tasks[].context_switches? " +
				"tasks[].stack_used_bytes? tasks[].stack_bytes? tasks[].last_checkin? tasks[].next_checkin?"},
		{poolResult{}, "pools[].name pools[].block_bytes pools[].blocks pools[].free pools[].least_free"},
		{datetimeResult{}, "datetime"},
		{inspection{}, inspectionKeys},
		{verification{},
			"file verified version hash hash_type encrypted decrypted compressed keys[].key keys[].key_hash " +
				"keys[].verified " +
				"keys[].kind? keys[].reason?"},
		{signResult{}, "file output format address? version hash hash_type signature?.type signature?.key_hash? " +
			"signature?.public_key? signature?.pure " +
			"encrypted compressed image_size file_size confirmed?"},
		{prepareResult{}, "file request payload? sign algorithm input hash digest key_hash version"},
		{vectorResult{}, "file output vector bytes hash_type hash"},
		{exported{}, "file key_type encoding output? text?"},
		{publicKeyResult{}, "file key_type encoding output? text? bytes"},
		{keyHashResult{}, "file key_type encoding output? text? hash_type hash"},
		{generatedKey{}, "file key_type encrypted hash_type key_hash public_key"},
		{provisionResult{}, "output soc key_name policy added keys[].file keys[].key_hash"},
		{fileCopy{}, "name bytes seconds bytes_per_second verified? sha256 resent already_present resumed_from"},
		{fileSizeResult{}, "name bytes"},
		{fileHashResult{}, "name hashes[].type hashes[].hash hashes[].offset hashes[].bytes"},
		{fileClosed{}, "closed"},
		{packageInspection{}, "file format file_size file_sha256 name? format_version? time? members[].name " +
			"members[].image members[].slot? members[].manifest? " +
			prefixed("members[].contents?.", inspectionKeys) + " members[].error? warnings[]"},
		{packageContent{}, "file format images[].name images[].image images[].slot? images[].bytes images[].version " +
			"images[].hash images[].error?"},
		{connAdded{}, "name type connstring key? replaced"},
		{connList{}, "profiles[].name profiles[].type profiles[].connstring profiles[].key?"},
		{connDeleted{}, "name type connstring key?"},
		{connImported{}, "file imported[].name imported[].type imported[].connstring imported[].key? skipped[].name " +
			"skipped[].type skipped[].connstring skipped[].key? skipped[].reason"},
		{simResult{}, "requests resets lost_packets lost_lines long_lines broken no_memory"},
		{versionResult{}, "version revision modified time go os arch"},

		{jsonFailure{}, "kind message group? code? name? reason? hint?"},
		{progressEvent{}, "event step done total in_flight seconds"},
		{stepEvent{}, "event step phase seconds text? image?"},
		{readyEvent{}, "event port target?"},
	}
}

// TestJSONKeys pins the keys of every document: scripts read them, so a renamed one is a breaking change.
func TestJSONKeys(t *testing.T) {
	pinned := map[string]bool{}
	for _, tt := range jsonDocuments() {
		typ := reflect.TypeOf(tt.document)
		pinned[typ.Name()] = true
		t.Run(typ.Name(), func(t *testing.T) {
			if diff := cmp.Diff(strings.Fields(tt.want), jsonKeys("", typ)); diff != "" {
				t.Errorf("keys (-want +got):\n%s", diff)
			}
		})
	}
	for _, name := range resultTypes(t) {
		if !pinned[name] {
			t.Errorf("%s is a result, but its keys are not pinned here", name)
		}
	}
}

const inspectionKeys = "file format address? file_size file_sha256 image_size header.version header.header_size " +
	"header.body_size " +
	"header.protected_size header.load_address header.flags[] header.flag_bits encrypted compressed hash hash_type " +
	"hash_check " +
	"signatures[].type signatures[].key_hash? signatures[].public_key? signatures[].pure dependencies[].image " +
	"dependencies[].minimum " +
	"security_counter? encryption?.scheme encryption?.aes_bits encryption?.plain compression?.format " +
	"compression?.arm_thumb compression?.size? " +
	"compression?.hash? compression?.check boot_record?.software_type boot_record?.version boot_record?.signer_id " +
	"boot_record?.hash_type " +
	"boot_record?.measurement vendor_uuid? class_uuid? tlvs[].area tlvs[].type tlvs[].type_id tlvs[].length " +
	"tlvs[].value trailer?.align trailer?.confirmed warnings[]"

func prefixed(prefix, keys string) string {
	return prefix + strings.Join(strings.Fields(keys), " "+prefix)
}

// jsonKeys lists the paths that encoding/json gives a type; a question mark is a key that may be absent.
func jsonKeys(path string, t reflect.Type) []string {
	switch {
	case t.Implements(reflect.TypeFor[encoding.TextMarshaler]()):
		return []string{path}
	case t.Kind() == reflect.Pointer:
		return jsonKeys(path, t.Elem())
	case t.Kind() == reflect.Slice:
		plain, optional := strings.CutSuffix(path, "?")
		if optional {
			return jsonKeys(plain+"[]?", t.Elem())
		}
		return jsonKeys(path+"[]", t.Elem())
	case t.Kind() != reflect.Struct:
		return []string{path}
	}
	var keys []string
	for i := range t.NumField() {
		f := t.Field(i)
		tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && tag == "":
			keys = append(keys, jsonKeys(path, f.Type)...)
			continue
		case !f.IsExported():
			continue
		case tag == "":
			tag = fmt.Sprintf("(field %s of %s has no key)", f.Name, t)
		}
		if options != "" {
			tag += "?"
		}
		if path != "" {
			tag = path + "." + tag
		}
		keys = append(keys, jsonKeys(tag, f.Type)...)
	}
	return keys
}

// resultTypes finds in the source every type with a method Text(io.Writer) error.
func resultTypes(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv == nil || f.Name.Name != "Text" {
				continue
			}
			if name, ok := f.Recv.List[0].Type.(*ast.Ident); ok {
				names = append(names, name.Name)
			}
		}
	}
	if len(names) == 0 {
		t.Fatal("no results found in the source")
	}
	slices.Sort(names)
	return names
}
