package seal

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"chancery/internal/fault"
)

// What other kinds of keys look like.
const (
	sshRecipient    = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN alice@example"
	pluginRecipient = "age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t"
)

// classicKeys are a classical identity and its recipient.
func classicKeys(t testing.TB) (identity, recipient string) {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id.String(), id.Recipient().String()
}

func TestIdentityFile(t *testing.T) {
	a, b := newIdentity(t), newIdentity(t)
	made := time.Date(2019, 7, 6, 21, 30, 0, 0, time.UTC)
	data := FormatIdentities(made, a, b)
	if !bytes.HasPrefix(data, []byte("# created: 2019-07-06T21:30:00Z\n# public key: age1pq1")) {
		t.Errorf("the file starts with %.60q", data)
	}
	for name, text := range map[string]string{
		"as written":   string(data),
		"carriage":     strings.ReplaceAll(string(data), "\n", "\r\n"),
		"no last line": strings.TrimSuffix(string(data), "\n"),
		"empty lines":  "\n\n# mine\n" + string(data) + "\n",
	} {
		ids, err := ParseIdentities("key", []byte(text))
		if err != nil || len(ids) != 2 {
			t.Errorf("%s: %d identities, %v", name, len(ids), err)
			continue
		}
		if ids[0].Recipient().String() != a.Recipient().String() || ids[1].Recipient().String() != b.Recipient().String() {
			t.Errorf("%s: other identities came back", name)
		}
	}
}

func TestIdentityFileRefusals(t *testing.T) {
	id := newIdentity(t)
	good := id.key.String()
	classic, _ := classicKeys(t)
	tests := []struct{ name, text, message, hint string }{
		{"empty", "", "key: there is no identity", identityPrefix},
		{"comments only", "# one\n\n", "key: there is no identity", identityPrefix},
		{"classical", "# old\n" + classic, "key:2: this identity is a classical one", "age-keygen -pq"},
		{"plugin", "AGE-PLUGIN-YUBIKEY-1QQPQG", "key:1: identities of age plugins", identityPrefix},
		{"ssh", "-----BEGIN OPENSSH PRIVATE KEY-----\n", "key:1: ssh keys", identityPrefix},
		{"recipient", id.Recipient().String(), "key:1: this is a recipient", "identity"},
		{"prose", "hello\n", "key:1: this line is not an identity", identityPrefix},
		{"lower case", strings.ToLower(good), "key:1: this line is not an identity", ""},
		{"changed", good[:len(good)-1] + "!", "key:1: this identity has a character", "copy"},
		{"trailing space", good + " ", "key:1: this identity has a character", "without spaces"},
		{"leading space", " " + good, "key:1: this line is not an identity", ""},
		{"good, then bad", good + "\n" + good[:40], "key:2: this identity has a character", "copy"},
		{"sealed", string(sealTo(t, nil, id)), "key: the identity file is itself sealed", "passphrase"},
		{"not text", "\xff\xfe", "key: this is not an identity file", ""},
		{"long", "#" + strings.Repeat("x", MaxIdentityFile), "key: the identity file: too long", ""},
		{"many", strings.Repeat(good+"\n", MaxIdentities+1), "key:1025: the list of identities: too long", ""},
	}
	for _, tt := range tests {
		ids, err := ParseIdentities("key", []byte(tt.text))
		if ids != nil || !errors.Is(err, fault.Key) {
			t.Errorf("%s: %d identities, %v", tt.name, len(ids), err)
			continue
		}
		if !strings.Contains(err.Error(), tt.message) || !strings.Contains(fault.HintOf(err), tt.hint) {
			t.Errorf("%s: %v (hint: %s)", tt.name, err, fault.HintOf(err))
		}
		if all := err.Error() + fault.HintOf(err); strings.Contains(all, good[20:30]) || strings.Contains(all, classic[20:30]) {
			t.Errorf("%s: the error shows the key: %s", tt.name, all)
		}
	}
}

func TestIdentityNeverPrintsItsSecret(t *testing.T) {
	id := newIdentity(t)
	secret := id.key.String()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		for _, value := range []any{id, []*Identity{id}, struct{ Key *Identity }{id}} {
			if text := fmt.Sprintf(verb, value); strings.Contains(strings.ToUpper(text), secret[20:40]) {
				t.Errorf("%s of %T shows the key", verb, value)
			}
		}
	}
}

func TestRecipientRefusals(t *testing.T) {
	id := newIdentity(t)
	good := id.Recipient().String()
	if r, err := ParseRecipient(good); err != nil || r.String() != good || len(good) != 1959 {
		t.Fatalf("a good recipient of %d characters: %v", len(good), err)
	}
	classicIdentity, classic := classicKeys(t)
	tests := []struct{ name, text, message string }{
		{"empty", "", "is not a recipient"},
		{"prose", "Sir Kim\x1b[2J", "is not a recipient"},
		{"classical", classic, "is a classical one"},
		{"plugin", pluginRecipient, "age plugin"},
		{"hybrid tag", "age1tagpq1qwt50d05nh5vutpd", "age plugin"},
		{"ssh", sshRecipient, "ssh keys"},
		{"identity", id.key.String(), "the secret half"},
		{"identity in lower case", strings.ToLower(id.key.String()), "the secret half"},
		{"classical identity", classicIdentity, "the secret half"},
		{"cut", good[:100], "has a character missing"},
		{"prefix", "age1pq1", "has a character missing"},
		{"changed", strings.Replace(good, good[50:52], "qq", 1) + "q", "has a character missing"},
		{"space", good + " ", "has a character missing"},
		{"capitals", strings.ToUpper(good), "is not a recipient"},
	}
	for _, tt := range tests {
		r, err := ParseRecipient(tt.text)
		if r != nil || !errors.Is(err, fault.Key) || !strings.Contains(err.Error(), tt.message) || fault.HintOf(err) == "" {
			t.Errorf("%s: %v (hint: %s)", tt.name, err, fault.HintOf(err))
		}
		if err != nil && len(err.Error()) > 200 {
			t.Errorf("%s: an error of %d characters", tt.name, len(err.Error()))
		}
		if strings.Contains(fmt.Sprint(err), strings.ToUpper(id.key.String())[20:30]) {
			t.Errorf("%s: the error shows the key", tt.name)
		}
	}
}

func FuzzParseIdentities(f *testing.F) {
	id := newIdentity(f)
	classic, _ := classicKeys(f)
	f.Add(FormatIdentities(time.Unix(0, 0), id))
	f.Add([]byte(classic))
	f.Add([]byte("# only\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		ids, err := ParseIdentities("key", data)
		if (err == nil) == (len(ids) == 0) {
			t.Fatalf("%d identities, %v", len(ids), err)
		}
		if err != nil {
			if !errors.Is(err, fault.Key) {
				t.Fatalf("of another kind: %v", err)
			}
			return
		}
		again, err := ParseIdentities("key", FormatIdentities(time.Unix(0, 0), ids...))
		if err != nil || len(again) != len(ids) {
			t.Fatalf("%d identities came back as %d, %v", len(ids), len(again), err)
		}
	})
}

func FuzzParseRecipient(f *testing.F) {
	_, classic := classicKeys(f)
	for _, seed := range []string{newIdentity(f).Recipient().String(), classic, pluginRecipient, sshRecipient, "age1", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRecipient(s)
		if err != nil {
			if r != nil || !errors.Is(err, fault.Key) || fault.HintOf(err) == "" {
				t.Fatalf("refused badly: %v", err)
			}
			return
		}
		if r.String() != s {
			t.Fatal("a second spelling of one recipient was read")
		}
	})
}
