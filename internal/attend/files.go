package attend

import (
	"encoding/json"
	"errors"

	"chancery/internal/fault"
	"chancery/internal/marking"
)

// load reads how far a party came; a new one came nowhere.
func load(k marking.Keeper, name string, v any) error {
	data, err := k.Read(name)
	if errors.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fault.Mismatch.Wrap(err, "").At(name, 0, 0).WithHint("remove the file: the log is read again from its start")
	}
	return nil
}

func save(k marking.Keeper, name string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fault.Internal.Wrap(err, "keep %s", name)
	}
	return k.Write(name, data)
}
