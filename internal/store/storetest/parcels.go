package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"chancery/internal/fault"
	"chancery/internal/store"
)

// Parcels is what a registry asks of whatever keeps its parcels. What was
// acknowledged is durable; with an error all of it may have been stored, or
// nothing, and doing the same again is right.
type Parcels interface {
	PutParcel(ctx context.Context, data []byte, parties []string, quiet bool) error
	Parcel(ctx context.Context, digest [sha256.Size]byte, parties []string) ([]byte, error)
	Parcels(ctx context.Context, party string, after int64, n int) ([]store.Listed, error)
	PutEnrolment(ctx context.Context, nonce, data []byte) error
	Enrolments(ctx context.Context) ([][]byte, error)
}

// RunParcels checks a store of parcels. Each call of open returns an empty one,
// and a second handle on the same, as another process would have.
func RunParcels(t *testing.T, open func(t *testing.T) (one, other Parcels)) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, one, other Parcels)
	}{
		{"Again", parcelAgain},
		{"Quiet", quietParcels},
		{"QuietThenListed", quietThenListed},
		{"NobodyElse", nobodyElse},
		{"Pages", parcelPages},
		{"Bytes", parcelBytes},
		{"ManyParties", manyParties},
		{"InOrder", parcelsInOrder},
		{"SameAtOnce", sameAtOnce},
		{"EnrolmentOnce", enrolmentOnce},
		{"EnrolmentAtOnce", enrolmentAtOnce},
		{"GivesUp", parcelsGiveUp},
		{"NothingHalf", nothingHalf},
	} {
		t.Run(test.name, func(t *testing.T) {
			one, other := open(t)
			test.run(t, one, other)
		})
	}
}

// put keeps a file and returns its digest.
func put(t *testing.T, s Parcels, data string, quiet bool, parties ...string) [sha256.Size]byte {
	t.Helper()
	must(t, s.PutParcel(t.Context(), []byte(data), parties, quiet))
	return sha256.Sum256([]byte(data))
}

// listed is all that is listed for a party, read in pages of an odd size; each
// number is above the one before.
func listed(t *testing.T, s Parcels, party string) []store.Listed {
	t.Helper()
	var all []store.Listed
	var last int64
	for {
		page, err := s.Parcels(t.Context(), party, last, 101)
		must(t, err)
		for _, l := range page {
			if l.Seq <= last {
				t.Fatalf("number %d comes after %d", l.Seq, last)
			}
			last = l.Seq
		}
		if all = append(all, page...); len(page) == 0 {
			return all
		}
	}
}

func digests(all []store.Listed) [][sha256.Size]byte {
	var out [][sha256.Size]byte
	for _, l := range all {
		out = append(out, l.Digest)
	}
	return out
}

// wantListed checks which files are listed for a party, in that order.
func wantListed(t *testing.T, s Parcels, party string, want ...[sha256.Size]byte) {
	t.Helper()
	if got := digests(listed(t, s, party)); !slices.Equal(got, want) {
		t.Errorf("%d parcels are listed for %s: %.4x; want %.4x", len(got), party, got, want)
	}
}

// wantFile checks that a party gets a file.
func wantFile(t *testing.T, s Parcels, data string, party string) {
	t.Helper()
	got, err := s.Parcel(t.Context(), sha256.Sum256([]byte(data)), []string{"somebody", party})
	if err != nil || string(got) != data {
		t.Errorf("%s got %d of %d bytes, %v", party, len(got), len(data), err)
	}
}

// wantNone checks that a digest is for none of the parties, in the words in
// which one is refused that is nowhere.
func wantNone(t *testing.T, s Parcels, digest [sha256.Size]byte, parties ...string) {
	t.Helper()
	got, err := s.Parcel(t.Context(), digest, parties)
	if !errors.Is(err, fault.NotFound) || got != nil {
		t.Errorf("%q got %d bytes, %v", parties, len(got), err)
	}
}

func parcelAgain(t *testing.T, one, other Parcels) {
	first := put(t, one, "first", false, "a", "b", "a")
	second := put(t, other, "second", false, "a")
	before := listed(t, one, "a")
	for _, s := range []Parcels{one, other} {
		put(t, s, "first", false, "b", "a")
		put(t, s, "first", true, "a") // listed already: it stays listed
	}
	if after := listed(t, other, "a"); !slices.Equal(before, after) {
		t.Errorf("put again: %v became %v", before, after)
	}
	wantListed(t, one, "a", first, second)
	// New parties, among old ones.
	put(t, other, "first", false, "a", "c", "b", "d")
	wantListed(t, one, "a", first, second)
	wantListed(t, one, "b", first)
	wantListed(t, one, "c", first)
	wantListed(t, one, "d", first)
	if c := listed(t, one, "c"); len(c) != 1 || c[0].Seq <= before[1].Seq {
		t.Errorf("it came for c after %d: %v", before[1].Seq, c)
	}
	wantFile(t, one, "first", "a")
	wantFile(t, other, "first", "d")
}

func quietParcels(t *testing.T, one, other Parcels) {
	put(t, one, "quiet", true, "a", "b")
	loud := put(t, one, "loud", false, "a")
	put(t, other, "quiet too", true, "a")
	wantListed(t, other, "a", loud)
	wantListed(t, other, "b")
	for _, after := range []int64{-1, -2, -1 << 62} {
		all, err := one.Parcels(t.Context(), "a", after, 10)
		if err != nil || len(all) != 1 || all[0].Digest != loud {
			t.Errorf("after %d: %v, %v", after, all, err)
		}
	}
	for _, party := range []string{"a", "b"} {
		wantFile(t, other, "quiet", party)
	}
	wantFile(t, one, "quiet too", "a")
	wantNone(t, one, sha256.Sum256([]byte("quiet too")), "b")
}

// quietThenListed: whoever puts a file quietly first does not hide it from those
// for whom it is put openly later.
func quietThenListed(t *testing.T, one, other Parcels) {
	digest := put(t, one, "file", true, "a", "b")
	last := put(t, one, "another", false, "a")
	put(t, other, "file", false, "a")
	wantListed(t, one, "a", last, digest)
	wantListed(t, one, "b")
}

func nobodyElse(t *testing.T, one, other Parcels) {
	digest := put(t, one, "file", false, "a", "key:one", "Upper")
	put(t, one, "another", false, "b")
	wantFile(t, other, "file", "key:one")
	for _, parties := range [][]string{nil, {}, {""}, {"b"}, {"A"}, {"upper"}, {"UPPER"}, {"a "}, {"aa"}, {"key:"}, {"key:%"}, {"_"}, {"a', 'b"}, {"b", "c", ""}} {
		wantNone(t, other, digest, parties...)
	}
	wantNone(t, other, [sha256.Size]byte{}, "a")
	wantListed(t, other, "A")
	wantListed(t, other, "upper")
	wantListed(t, other, "")
	wantListed(t, other, "key:%")
	_, none := other.Parcel(t.Context(), digest, []string{"c"})
	put(t, one, "file", false, "c")
	if _, err := other.Parcel(t.Context(), digest, []string{"d"}); err == nil || err.Error() != none.Error() {
		t.Errorf("refused with %v and with %v", err, none)
	}
}

func parcelPages(t *testing.T, one, other Parcels) {
	var want [][sha256.Size]byte
	for i := range 25 {
		want = append(want, put(t, []Parcels{one, other}[i%2], fmt.Sprint("file ", i), false, "x", "a", fmt.Sprint(i)))
	}
	wantListed(t, one, "a", want...)
	var last int64
	for from := 0; from < len(want); from += 4 {
		page, err := other.Parcels(t.Context(), "a", last, 4)
		must(t, err)
		if !slices.Equal(digests(page), want[from:min(from+4, len(want))]) {
			t.Fatalf("the page from %d on: %v", from, page)
		}
		last = page[len(page)-1].Seq
	}
	if rest, err := one.Parcels(t.Context(), "a", last, 4); err != nil || len(rest) != 0 {
		t.Errorf("behind the last: %v, %v", rest, err)
	}
}

// largeFile is about what a kit for one reader takes, in bytes.
const largeFile = 5 << 20

func parcelBytes(t *testing.T, one, other Parcels) {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	large := make([]byte, largeFile)
	rand.NewChaCha8([32]byte{5}).Read(large)
	for i, data := range [][]byte{{}, nil, {0}, {0, 0}, every, []byte("it's; \\x00 \"quoted\" %s $1 \r\n"), {0xff, 0xfe, 0xc0, 0x80}, large, make([]byte, largeFile+1)} {
		party := fmt.Sprint("p:", i)
		must(t, one.PutParcel(t.Context(), data, []string{party}, false))
		got, err := other.Parcel(t.Context(), sha256.Sum256(data), []string{party})
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("file %d: %d of %d bytes came back, %v", i, len(got), len(data), err)
		}
		wantListed(t, other, party, sha256.Sum256(data))
	}
}

// manyParties is more than any statement names at once.
func manyParties(t *testing.T, one, other Parcels) {
	parties := names(3000)
	digest := put(t, one, "for all", false, parties...)
	put(t, one, "for all", false, append(parties, "late")...)
	for _, i := range []int{0, 15, 16, 17, 255, 256, 257, 1500, 2999} {
		wantListed(t, other, parties[i], digest)
	}
	wantListed(t, other, "late", digest)
	wantFile(t, other, "for all", parties[2999])
}

func names(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprint("party:", i))
	}
	return out
}

// parcelsInOrder writes over two handles while readers ask for what came after
// the last number they saw, as devices do: whatever is acknowledged reaches each
// of them, once.
func parcelsInOrder(t *testing.T, one, other Parcels) {
	const writers, each = 8, 20
	ended := make(chan struct{})
	var readers, wait sync.WaitGroup
	var seen [2][]store.Listed
	for r, s := range []Parcels{one, other} {
		readers.Go(func() { seen[r] = follow(t, s, ended) })
	}
	var mu sync.Mutex
	want := map[[sha256.Size]byte]bool{}
	for w := range writers {
		wait.Go(func() {
			for i := range each {
				data := make([]byte, 16+(w+i)%5*20_000)
				binary.BigEndian.PutUint64(data, uint64(w))
				binary.BigEndian.PutUint64(data[8:], uint64(i))
				quiet := i%7 == 6
				if err := []Parcels{one, other}[w%2].PutParcel(t.Context(), data, []string{fmt.Sprint(w), "reader"}, quiet); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				want[sha256.Sum256(data)] = !quiet
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	close(ended)
	readers.Wait()
	for r := range seen {
		left := len(want) - each/7*writers
		for _, l := range seen[r] {
			if !want[l.Digest] {
				t.Fatalf("reader %d saw %.4x twice, or it is quiet", r, l.Digest)
			}
			left--
		}
		if left != 0 {
			t.Errorf("reader %d missed %d of %d", r, left, len(want))
		}
		if len(slices.CompactFunc(slices.SortedFunc(slices.Values(seen[r]), func(a, b store.Listed) int { return bytes.Compare(a.Digest[:], b.Digest[:]) }),
			func(a, b store.Listed) bool { return a.Digest == b.Digest })) != len(seen[r]) {
			t.Errorf("reader %d saw one twice", r)
		}
	}
}

// follow polls for one party until nothing more comes after the end.
func follow(t *testing.T, s Parcels, ended <-chan struct{}) []store.Listed {
	var all []store.Listed
	var last int64
	for {
		over := false
		select {
		case <-ended:
			over = true
		case <-time.After(100 * time.Microsecond):
		}
		page, err := s.Parcels(t.Context(), "reader", last, 3)
		if err != nil {
			t.Error(err)
			return all
		}
		for _, l := range page {
			if l.Seq <= last {
				t.Errorf("number %d comes after %d", l.Seq, last)
				return all
			}
			last = l.Seq
		}
		if all = append(all, page...); over && len(page) == 0 {
			return all
		}
	}
}

// sameAtOnce puts one file from many sides, each for other parties.
func sameAtOnce(t *testing.T, one, other Parcels) {
	const writers = 8
	data := string(make([]byte, 100_000))
	var wait sync.WaitGroup
	for w := range writers {
		wait.Go(func() {
			for i := range 3 {
				err := []Parcels{one, other}[w%2].PutParcel(t.Context(), []byte(data), []string{"all", fmt.Sprint(w, i), fmt.Sprint((w + 1) % writers)}, i == 1)
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	digest := sha256.Sum256([]byte(data))
	wantListed(t, one, "all", digest)
	for w := range writers {
		wantListed(t, other, fmt.Sprint(w), digest)
		wantListed(t, other, fmt.Sprint(w, 0), digest)
		wantListed(t, other, fmt.Sprint(w, 1))
		wantFile(t, one, data, fmt.Sprint(w, 1))
	}
}

func enrolmentOnce(t *testing.T, one, other Parcels) {
	if all, err := one.Enrolments(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("at first: %q, %v", all, err)
	}
	nonces := [][]byte{{0}, {0, 0}, []byte("it's\xff"), bytes.Repeat([]byte{7}, 16)}
	for i, nonce := range nonces {
		data := bytes.Repeat([]byte{byte(i), 0, 0xff}, i*20_000)
		must(t, one.PutEnrolment(t.Context(), nonce, data))
		must(t, other.PutEnrolment(t.Context(), nonce, data)) // again
		for _, another := range [][]byte{append([]byte("x"), data...), append(data, 0)} {
			if err := other.PutEnrolment(t.Context(), nonce, another); !errors.Is(err, fault.Exists) {
				t.Errorf("the invitation served twice: %v", err)
			}
		}
		all, err := other.Enrolments(t.Context())
		if err != nil || len(all) != i+1 || !slices.ContainsFunc(all, func(b []byte) bool { return bytes.Equal(b, data) }) {
			t.Errorf("%d enrolments after %d, %v", len(all), i+1, err)
		}
	}
}

// enrolmentAtOnce: several use one invitation, and one of them gets in.
func enrolmentAtOnce(t *testing.T, one, other Parcels) {
	for round := range 10 {
		nonce := fmt.Append(nil, "nonce ", round)
		var wait sync.WaitGroup
		errs := make([]error, 4)
		for i := range errs {
			wait.Go(func() {
				errs[i] = []Parcels{one, other}[i%2].PutEnrolment(t.Context(), nonce, fmt.Append(nil, "from ", i, " in ", round))
			})
		}
		wait.Wait()
		in := slices.Index(errs, nil)
		for i, err := range errs {
			if i != in && !errors.Is(err, fault.Exists) {
				t.Errorf("%d beside %d: %v", i, in, err)
			}
		}
		all, err := one.Enrolments(t.Context())
		if err != nil || len(all) != round+1 || in < 0 ||
			!slices.ContainsFunc(all, func(b []byte) bool { return string(b) == fmt.Sprint("from ", in, " in ", round) }) {
			t.Fatalf("%q after round %d, in was %d, %v", all, round, in, err)
		}
	}
}

// parcelsGiveUp calls with a context that has ended: nothing is stored, and the
// store goes on.
func parcelsGiveUp(t *testing.T, one, other Parcels) {
	digest := put(t, other, "before", false, "a")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, errParcel := one.Parcel(ctx, digest, []string{"a"})
	_, errParcels := one.Parcels(ctx, "a", 0, 10)
	_, errEnrolments := one.Enrolments(ctx)
	for i, err := range []error{
		one.PutParcel(ctx, []byte("never"), []string{"a"}, false), one.PutEnrolment(ctx, []byte("nonce"), []byte("never")),
		errParcel, errParcels, errEnrolments,
	} {
		if !errors.Is(err, fault.Interrupted) {
			t.Errorf("call %d: %v", i, err)
		}
	}
	wantListed(t, other, "a", digest)
	wantNone(t, other, sha256.Sum256([]byte("never")), "a")
	if all, err := other.Enrolments(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("%q, %v", all, err)
	}
	wantListed(t, one, "a", digest, put(t, one, "after", false, "a"))
}

// nothingHalf ends calls at all moments: an error says that the caller gave up,
// and in the end all of the parcel is there or nothing.
func nothingHalf(t *testing.T, one, other Parcels) {
	parties := names(600)
	begun := time.Now()
	must(t, one.PutParcel(t.Context(), []byte("how long it takes"), parties, false))
	whole := time.Since(begun)
	const rounds = 40
	var acknowledged [rounds]bool
	data := func(round int) string { return fmt.Sprint("file ", round) }
	for round := range rounds {
		ctx, cancel := context.WithTimeout(t.Context(), whole*time.Duration(round)/(rounds*3/4))
		err := one.PutParcel(ctx, []byte(data(round)), parties, false)
		cancel()
		if err != nil && !errors.Is(err, fault.Interrupted) {
			t.Errorf("round %d: %v", round, err)
		}
		acknowledged[round] = err == nil
	}
	// A server may still be busy with what nobody waits for; this comes after it.
	put(t, other, "the last", false, "a")
	first, last := digests(listed(t, other, parties[0])), digests(listed(t, other, parties[len(parties)-1]))
	if !slices.Equal(first, last) {
		t.Errorf("%d are listed for the first party, %d for the last", len(first), len(last))
	}
	for round := range rounds {
		digest := sha256.Sum256([]byte(data(round)))
		if there := slices.Contains(first, digest); there {
			wantFile(t, other, data(round), parties[0])
		} else if wantNone(t, other, digest, parties...); acknowledged[round] {
			t.Errorf("what was acknowledged in round %d is not there", round)
		}
	}
	t.Logf("%d of %d were kept", len(first)-1, rounds)
}
