package seal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"chancery/internal/fault"
)

func TestMain(m *testing.M) {
	testOnlyWorkFactor = 10
	os.Exit(m.Run())
}

const cable = "The President radiates insecurity. Do not quote me.\n"

// newIdentity makes an identity or ends the test.
func newIdentity(t testing.TB) *Identity {
	t.Helper()
	id, err := GenerateIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// sealTo seals or ends the test.
func sealTo(t testing.TB, plaintext []byte, ids ...*Identity) []byte {
	t.Helper()
	var to []*Recipient
	for _, id := range ids {
		to = append(to, id.Recipient())
	}
	sealed, err := Seal(plaintext, to...)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

// expect fails unless err matches both.
func expect(t *testing.T, what string, err, want error, kind fault.Kind) {
	t.Helper()
	if !errors.Is(err, want) || fault.KindOf(err) != kind {
		t.Errorf("%s: got %v (%v), want %v (%v)", what, err, kind, want, kind)
	}
}

func TestRoundTrip(t *testing.T) {
	ambassador, desk, stranger := newIdentity(t), newIdentity(t), newIdentity(t)
	for _, size := range []int{0, 1, 100, 64<<10 - 1, 64 << 10, 64<<10 + 1, 200_000} {
		plaintext := bytes.Repeat([]byte("x"), size)
		sealed := sealTo(t, plaintext, ambassador, desk)
		for _, keys := range [][]*Identity{{ambassador}, {desk}, {stranger, desk}} {
			got, err := Open(sealed, keys...)
			if err != nil || !bytes.Equal(got, plaintext) {
				t.Errorf("%d bytes: %d bytes, %v", size, len(got), err)
			}
		}
		_, err := Open(sealed, stranger)
		expect(t, "a stranger", err, ErrNoMatch, fault.Key)
	}
}

func TestPassphrase(t *testing.T) {
	sealed, err := SealPassphrase([]byte(cable), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := OpenPassphrase(sealed, "correct horse"); err != nil || string(got) != cable {
		t.Errorf("got %q, %v", got, err)
	}
	_, err = OpenPassphrase(sealed, "Correct horse")
	expect(t, "another passphrase", err, ErrWrongPassphrase, fault.Key)
	_, err = Open(sealed, newIdentity(t))
	expect(t, "a key", err, ErrNeedPassphrase, fault.Key)
	id := newIdentity(t)
	toKey := sealTo(t, []byte(cable), id)
	_, err = OpenPassphrase(toKey, "correct horse")
	expect(t, "a passphrase for a file sealed to a key", err, ErrNeedIdentity, fault.Key)

	for _, tt := range []struct {
		sealed []byte
		want   bool
	}{{sealed, true}, {toKey, false}} {
		if got, err := NeedsPassphrase(tt.sealed); got != tt.want || err != nil {
			t.Errorf("NeedsPassphrase is %v, %v", got, err)
		}
	}
	for _, bad := range []string{"", strings.Repeat("x", MaxPassphrase+1)} {
		if _, err := SealPassphrase(nil, bad); !errors.Is(err, fault.Key) {
			t.Errorf("sealed with a passphrase of %d bytes: %v", len(bad), err)
		}
		if _, err := OpenPassphrase(sealed, bad); !errors.Is(err, fault.Key) {
			t.Errorf("opened with a passphrase of %d bytes: %v", len(bad), err)
		}
	}
}

// TestHostileWorkFactor hands over a file whose header asks for 2^30 rounds,
// a terabyte of memory. It must be refused before any work is done.
func TestHostileWorkFactor(t *testing.T) {
	sealed, err := SealPassphrase([]byte(cable), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	for _, work := range []int{maxWorkFactor + 1, 30, 63} {
		hostile := bytes.Replace(sealed, []byte(" 10\n"), fmt.Appendf(nil, " %d\n", work), 1)
		start := time.Now()
		_, err := OpenPassphrase(hostile, "correct horse")
		expect(t, "hostile work factor", err, ErrTooMuchWork, fault.Input)
		if d := time.Since(start); d > time.Second {
			t.Errorf("the refusal took %v", d)
		}
	}
}

func TestTruncatedAndAltered(t *testing.T) {
	id := newIdentity(t)
	sealed := sealTo(t, bytes.Repeat([]byte(cable), 1300), id) // two chunks
	if _, err := Open(sealed, id); err != nil {
		t.Fatal(err)
	}
	header := bytes.Index(sealed, []byte("\n--- ")) + 1
	body := header + bytes.IndexByte(sealed[header:], '\n') + 1
	step := max(1, len(sealed)/500)
	for n := 0; n < len(sealed); n += step {
		_, err := Open(sealed[:n], id)
		switch {
		case n == 0:
			expect(t, "nothing", err, ErrNotSealed, fault.Input)
		case n < body+16:
			expect(t, fmt.Sprintf("cut at %d", n), err, ErrTruncated, fault.Input)
		case !errors.Is(err, ErrTruncated) && !errors.Is(err, ErrDamaged):
			t.Errorf("cut at %d: %v", n, err)
		}
	}
	for n := 0; n < len(sealed); n += step {
		altered := bytes.Clone(sealed)
		altered[n] ^= 1
		got, err := Open(altered, id)
		if err == nil || got != nil || fault.KindOf(err) != fault.Input && fault.KindOf(err) != fault.Key {
			t.Errorf("altered at %d: %d bytes, %v", n, len(got), err)
		}
	}
	_, err := Open(append(bytes.Clone(sealed), 0), id)
	expect(t, "a byte more", err, ErrDamaged, fault.Input)
}

func TestNotSealed(t *testing.T) {
	id := newIdentity(t)
	for _, data := range []string{"x", cable, "age-encryption.org/v2\n", armor + "\nAAAA\n", "\x00\xff"} {
		_, err := Open([]byte(data), id)
		expect(t, data, err, ErrNotSealed, fault.Input)
		if _, err := NeedsPassphrase([]byte(data)); !errors.Is(err, ErrNotSealed) {
			t.Errorf("%q: %v", data, err)
		}
		if err != nil && strings.Contains(err.Error(), "insecurity") {
			t.Error("the error quotes the file")
		}
	}
}

func TestLimits(t *testing.T) {
	id := newIdentity(t)
	_, err := Seal(make([]byte, MaxPlaintext+1), id.Recipient())
	expect(t, "plaintext", err, ErrTooLong, fault.Input)
	_, err = Open(make([]byte, MaxSealed+1), id)
	expect(t, "sealed", err, ErrTooLong, fault.Input)
	many := make([]*Recipient, MaxRecipients+1)
	for i := range many {
		many[i] = id.Recipient()
	}
	_, err = Seal(nil, many...)
	expect(t, "recipients", err, ErrTooLong, fault.Input)
	if _, err := Seal(nil); !errors.Is(err, fault.Usage) {
		t.Errorf("sealed to nobody: %v", err)
	}
	if _, err := Open(sealTo(t, nil, id)); !errors.Is(err, fault.Key) {
		t.Errorf("opened with nothing: %v", err)
	}
	if sealed, err := Seal([]byte(cable), many[:MaxRecipients]...); err != nil {
		t.Error(err)
	} else if _, err := Open(sealed, id); err != nil {
		t.Errorf("the most readers: %v", err)
	}
}

// TestLibraryInterop opens our files with the age library and the other way
// round.
func TestLibraryInterop(t *testing.T) {
	id := newIdentity(t)
	theirs, err := age.ParseIdentities(bytes.NewReader(FormatIdentities(time.Now(), id)))
	if err != nil {
		t.Fatal(err)
	}
	r, err := age.Decrypt(bytes.NewReader(sealTo(t, []byte(cable), id)), theirs...)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || string(got) != cable {
		t.Errorf("age read %q, %v", got, err)
	}
	to, err := age.ParseHybridRecipient(id.Recipient().String())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(w, cable)
	w.Close()
	if got, err := Open(out.Bytes(), id); err != nil || string(got) != cable {
		t.Errorf("we read %q, %v", got, err)
	}
}

// TestToolInterop opens our files with the age tool, where there is one that
// knows hybrid keys.
func TestToolInterop(t *testing.T) {
	tool, err := exec.LookPath("age")
	if err != nil {
		t.Skip("no age tool on this machine")
	}
	dir, id := t.TempDir(), newIdentity(t)
	key, file := filepath.Join(dir, "key"), filepath.Join(dir, "copy.age")
	for name, data := range map[string][]byte{
		key:  FormatIdentities(time.Now(), id),
		file: sealTo(t, []byte(cable), id),
	} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command(tool, "-d", "-i", key, file).CombinedOutput()
	if err != nil && strings.Contains(string(out), "unknown identity type") {
		t.Skip("the age tool on this machine is older than hybrid keys")
	}
	if err != nil || string(out) != cable {
		t.Errorf("age -d: %v: %s", err, out)
	}
}
