package marking

import (
	"encoding/json"
	"slices"
	"testing"
)

// TestOldDeliveries: files of deliveries that name one receipt of a copy are read.
func TestOldDeliveries(t *testing.T) {
	data, err := json.Marshal(map[string]any{"cable": "c", "first": 0, "to": map[string]any{"one": 7, "two": []int64{8, 9}}})
	if err != nil {
		t.Fatal(err)
	}
	var h handed
	if err := decode(data, &h); err != nil || !slices.Equal(h.To["one"], receipts{7}) || !slices.Equal(h.To["two"], receipts{8, 9}) {
		t.Errorf("%v, %v", h, err)
	}
}
