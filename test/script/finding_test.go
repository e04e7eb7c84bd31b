package script

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// The form of a finding that other programs rely on: names and kinds. A kind
// that ends in ? may be null; [] is a list, never null; [x] a list of x.
var (
	findingForm = map[string]string{
		"outcome": "text", "eps": "number", "readers": "number", "named": "[named]", "fit": "[fit]",
		"fit_expected": "number", "none_of_these": "[number]", "bits_read": "number", "sites_read": "number",
		"words_matched": "number", "words_needed": "needed", "passages": "[passage]",
	}
	forms = map[string]map[string]string{
		"named": {"reader": "text", "cables": "[text]", "p_lower": "clamped", "p_upper": "clamped", "p_limit": "clamped",
			"log10_p_upper": "number", "e": "clamped", "log10_e": "number", "with": "[text]"},
		"fit":     {"reader": "text", "posterior": "[number]"},
		"needed":  {"median": "number?", "p90": "number?"},
		"passage": {"leak": "text", "text": "text", "cable": "text", "paragraph": "number"},
	}
	outcomes = []string{"copy-named", "no-single-copy", "some-fit", "cannot-say"}
)

// checkFinding says what is wrong with a finding's form, nil if nothing.
func checkFinding(v any) error {
	if err := checkForm(v, findingForm); err != nil {
		return err
	}
	f := v.(map[string]any)
	outcome := f["outcome"].(string)
	named, fit := len(f["named"].([]any)), len(f["fit"].([]any))
	switch {
	case !slices.Contains(outcomes, outcome):
		return fmt.Errorf("outcome %q", outcome)
	case (outcome == "copy-named") != (named > 0):
		return fmt.Errorf("%s with %d named", outcome, named)
	case outcome == "copy-named" && fit > 0:
		return fmt.Errorf("%s with %d that fit", outcome, fit)
	}
	for _, x := range f["fit"].([]any) {
		if n := len(x.(map[string]any)["posterior"].([]any)); n != 3 {
			return fmt.Errorf("%d posteriors", n)
		}
	}
	return nil
}

func checkForm(v any, form map[string]string) error {
	object, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("%v is no object", v)
	}
	for name, kind := range form {
		field, ok := object[name]
		if !ok {
			return fmt.Errorf("no %s", name)
		}
		if err := checkKind(field, kind); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func checkKind(v any, kind string) error {
	if strings.HasPrefix(kind, "[") {
		list, ok := v.([]any)
		if !ok {
			return fmt.Errorf("%v is no list", v)
		}
		for _, x := range list {
			if err := checkKind(x, kind[1:len(kind)-1]); err != nil {
				return err
			}
		}
		return nil
	}
	if form, ok := forms[kind]; ok {
		return checkForm(v, form)
	}
	ok := false
	switch x := v.(type) {
	case nil:
		ok = strings.HasSuffix(kind, "?")
	case string:
		ok = kind == "text"
	case json.Number:
		f, err := x.Float64()
		ok = err == nil && strings.HasPrefix(kind, "number") || kind == "clamped" && f >= 1e-300 && f <= 1e300
	}
	if !ok {
		return fmt.Errorf("%v is no %s", v, kind)
	}
	return nil
}

// TestCheckFinding: the check itself fails when it should.
func TestCheckFinding(t *testing.T) {
	const good = `{"outcome":"some-fit","eps":0.001,"readers":2,"named":[],"fit":[{"reader":"a","posterior":[0.1,0.2,0.3]}],
"fit_expected":1.5,"none_of_these":[0.1],"bits_read":2,"sites_read":1,"words_matched":3,"words_needed":{"median":null,"p90":7},
"passages":[{"leak":"a.txt","text":"x","cable":"c","paragraph":1}]}`
	for text, ok := range map[string]bool{
		good: true,
		strings.Replace(good, `"named":[]`, `"named":null`, 1):         false,
		strings.Replace(good, `"named":[],`, ``, 1):                    false,
		strings.Replace(good, `some-fit`, `guilty`, 1):                 false,
		strings.Replace(good, `some-fit`, `copy-named`, 1):             false,
		strings.Replace(good, `0.1,0.2,0.3`, `0.1`, 1):                 false,
		strings.Replace(good, `"eps":0.001`, `"eps":"0.001"`, 1):       false,
		strings.Replace(good, `"paragraph":1`, `"paragraph":"one"`, 1): false,
	} {
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		var v any
		if err := d.Decode(&v); err != nil {
			t.Fatal(err)
		}
		if err := checkFinding(v); (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
}
