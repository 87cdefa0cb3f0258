package cborjson

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
)

// TestCBORToJSON: values from RFC 8949, appendix A, and what hides in corners.
func TestCBORToJSON(t *testing.T) {
	for digits, want := range map[string]string{
		"00": "0", "17": "23", "1818": "24", "1903e8": "1000", "1a000f4240": "1000000",
		"1bffffffffffffffff": "18446744073709551615",
		"20":                 "-1", "3863": "-100", "3bffffffffffffffff": "-18446744073709551616",
		"f90000": "0.0", "f98000": "-0.0", "f93c00": "1.0", "f93e00": "1.5", "f97bff": "65504.0",
		"f90001": "5.960464477539063e-8", "f9c400": "-4.0",
		"fa47c35000": "100000.0", "fb3ff199999999999a": "1.1", "f97c00": `{"$float":"+Inf"}`,
		"f97e00": `{"$float":"NaN"}`, "faff800000": `{"$float":"-Inf"}`,
		"f4": "false", "f5": "true", "f6": "null", "f7": "null", "f0": `{"$simple":16}`, "f8ff": `{"$simple":255}`,
		"40": `{"$hex":""}`, "4401020304": `{"$hex":"01020304"}`, "60": `""`, "62225c": `"\"\\"`, "63e6b0b4": `"水"`,
		"61ff": `"\ufffd"`, "611b": `"\u001b"`, "613c": `"<"`,
		"80": "[]", "83010203": "[1,2,3]", "9f018202039f0405ffff": "[1,[2,3],[4,5]]", "a0": "{}", "bfff": "{}",
		"a201020304": `{"1":2,"3":4}`, "a26162016161 02": `{"b":1,"a":2}`, "a14101f5": `{"{\"$hex\":\"01\"}":true}`,
		"5f42010243030405ff": `{"$hex":"0102030405"}`, "7f657374726561646d696e67ff": `"streaming"`,
		"bf6346756ef563416d7421ff": `{"Fun":true,"Amt":-2}`,
		"c11a514b67b0":             `{"$tag":1,"value":1363896240}`,
	} {
		got, err := ToJSON(unhex(t, strings.ReplaceAll(digits, " ", "")))
		if string(got) != want || err != nil {
			t.Errorf("%s: %s, %v, want %s", digits, got, err, want)
		}
	}
	for _, digits := range []string{"", "ff", "18", "61", "a1", "a101", "bf01ff", "5f01ff", "1c", "0000",
		"9bffffffffffffffff", "5bffffffffffffffff",
		strings.Repeat("81", maxDepth+1) + "00", strings.Repeat("9f", 1000), "f800"} {
		if got, err := ToJSON(unhex(t, digits)); err == nil {
			t.Errorf("%s: %s, want an error", digits, got)
		}
	}
	if got, err := ToJSON(unhex(t, strings.Repeat("81", maxDepth)+"00")); err != nil {
		t.Errorf("%d levels: %s, %v", maxDepth, got, err)
	}
}

func TestJSONToCBOR(t *testing.T) {
	for text, want := range map[string]string{
		"0": "00", "-1": "20", "-0": "00", "18446744073709551615": "1bffffffffffffffff",
		"-9223372036854775808": "3b7fffffffffffffff",
		"1.5":                  "fb3ff8000000000000", "1e3": "fb408f400000000000", `"ü"`: "62c3bc", "true": "f5",
		"null": "f6",
		"[]":   "80", "[1,[2]]": "82018102", "{}": "a0", `{"b":1,"a":2}`: "a2616201616102",
		`{"$hex":"00ff"}`: "4200ff", `{"d":{"$hex":""}}`: "a1616440", " [ 1 ] ": "8101",
		"[" + strings.Repeat("0,", 23) + "0]": "9818" + strings.Repeat("00", 24),
	} {
		got, err := FromJSON([]byte(text))
		if hex.EncodeToString(got) != want || err != nil {
			t.Errorf("%s: %x, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "{", "[1", `{"a"}`, `{"a":1,"a":2}`, "[1 2]", "{} {}", "x",
		"18446744073709551616", "1e999", `{"$hex":"0"}`, `{"$hex":1}`,
		`{"$hex":"00","a":1}`, `{"a":1,"$hex":"00"}`, strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1),
		strings.Repeat("[", 1<<20)} {
		if got, err := FromJSON([]byte(text)); err == nil {
			t.Errorf("%.40s: %x, want an error", text, got)
		}
	}
}

func unhex(t testing.TB, digits string) []byte {
	t.Helper()
	b, err := hex.DecodeString(digits)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// FuzzCBORToJSON: what a device sends becomes JSON or an error; what becomes JSON has a notation too.
func FuzzCBORToJSON(f *testing.F) {
	for _, digits := range []string{"a1616101", "bf6161f5ff", "5f41ffff", "f97e00", "c101", "9f5fff7fffff", "a14000",
		"f8ff", "3bffffffffffffffff"} {
		f.Add(unhex(f, digits))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		text, err := ToJSON(b)
		if err != nil {
			return
		}
		if !json.Valid(text) {
			t.Errorf("%x: %s is no JSON", b, text)
		}
		if len(text) > 64*len(b)+64 {
			t.Errorf("%d bytes of JSON from %d", len(text), len(b))
		}
	})
}

// FuzzJSONToCBOR: what a user writes comes back as it was.
func FuzzJSONToCBOR(f *testing.F) {
	for _, text := range []string{`{"a":[1,-2,"x",true,null,{"$hex":"00ff"}]}`, `[1.5]`, `{"$hex":1}`, `"\u0000"`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		encoded, err := FromJSON([]byte(text))
		if err != nil {
			return
		}
		back, err := ToJSON(encoded)
		if err != nil {
			t.Fatalf("%s: %x: %v", text, encoded, err)
		}
		again, err := FromJSON(back)
		if err != nil || !bytes.Equal(again, encoded) {
			t.Errorf("%s: %x becomes %s, and that %x, %v", text, encoded, back, again, err)
		}
	})
}

func TestDiagnose(t *testing.T) {
	for digits, want := range map[string]string{
		"a26364617442 00ff61 6e 20": `{"dat": h'00ff', "n": -1}`, "bf61729f01ffff": `{_ "r": [_ 1]}`,
		"61 1b": `"\u001b"`,
		"f7":    "undefined", "c101": "1(1)",
	} {
		got, err := Diagnose(unhex(t, strings.ReplaceAll(digits, " ", "")))
		if got != want || err != nil {
			t.Errorf("%s: %s, %v, want %s", digits, got, err, want)
		}
	}
	for _, digits := range []string{"", "ff", "a1", "0000", "61ff", strings.Repeat("81", maxDepth+1) + "00"} {
		if got, err := Diagnose(unhex(t, digits)); err == nil {
			t.Errorf("%s: %s, want an error", digits, got)
		}
	}
}
