package town_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"chancery/internal/custody"
	"chancery/internal/desk"
	"chancery/internal/directory"
	"chancery/internal/post"
	"chancery/internal/seal"
	"chancery/internal/sign"
	"chancery/internal/town"
)

// populate appoints people whose keys nobody uses: they are in the directory, get copies
// and never open them.
func populate(b testing.TB, w *town.Town, office string, people int) {
	b.Helper()
	authority := w.Authority.Keys[0]
	state := func(kind string, body any, keys ...*sign.Key) custody.Submission {
		s, err := sign.Sign(kind, body, keys...)
		if err != nil {
			b.Fatal(err)
		}
		return post.Publish(s)
	}
	const step = 200
	for first := 0; first < people; first += step {
		var all []custody.Submission
		for n := first; n < min(first+step, people); n++ {
			id, key := fmt.Sprintf("paper-%d", n), sign.Generate()
			g, err := seal.GenerateIdentity()
			if err != nil {
				b.Fatal(err)
			}
			all = append(all, state(directory.KindPerson, directory.Person{ID: id, Name: "Person " + id, Sign: key.Public(), Recipient: g.Recipient().String()}, authority, key),
				state(directory.KindSeat, directory.Seat{Office: office, Seat: id, Title: id}, authority),
				state(directory.KindTenure, directory.Tenure{ID: "tenure-" + id, Office: office, Seat: id, Person: id, From: directory.At(w.Now().Add(-time.Second))}, authority, key))
		}
		if _, err := w.Authority.Client.Submit(context.Background(), all...); err != nil {
			b.Fatal(err)
		}
	}
}

// wide sends one cable to many, of whom a few are there and open it. It returns how long
// the author's desk took until the release stood in the log, how long after it the
// issue did, and how long those who are there took to open their copies.
func wide(b testing.TB, w *town.Town, author *desk.Desk, all []*desk.Desk, reference string) (sending, issuing, opening time.Duration) {
	b.Helper()
	ctx := context.Background()
	begun := time.Now()
	if _, err := author.Queue(desk.Outgoing{Draft: long(reference, 600), To: []string{"centre.desk"}, Precedence: "priority", Reference: reference, Attested: true}); err != nil {
		b.Fatal(err)
	}
	if err := author.Sync(ctx, 0); err != nil {
		b.Fatal(err)
	}
	sending, begun = time.Since(begun), time.Now()
	for i := (desk.Item{}); i.Issue == nil; i, _ = author.Find(reference) {
		if err := author.Sync(ctx, time.Second); err != nil {
			b.Fatal(err)
		}
		if i.Void != "" {
			b.Fatal(i.Void)
		}
	}
	issuing = time.Since(begun)
	for _, d := range all {
		if err := d.Sync(ctx, 0); err != nil {
			b.Fatal(err)
		}
	}
	begun = time.Now()
	var wait sync.WaitGroup
	for _, d := range all {
		wait.Go(func() {
			if i, err := d.Read(ctx, reference); err != nil || !strings.Contains(i.Text, "harbour") {
				b.Error(d.Person, err)
			}
		})
	}
	wait.Wait()
	return sending, issuing, time.Since(begun)
}

// TestManyReaders: beyond a few dozen letters what all have in common is sealed once.
func TestManyReaders(t *testing.T) {
	computes(t)
	ctx := t.Context()
	w, author, all := crowd(t, 2, 2)
	populate(t, w, "centre.desk", 100)
	for _, d := range append(all, author) {
		must(t, d.Sync(ctx, 0))
	}
	must(t, w.Ready(ctx, time.Minute))
	wide(t, w, author, all, "POST 1/30")
	i, err := author.Find("POST 1/30")
	must(t, err)
	if len(i.Copies) != 102 || i.Release.N != 102 {
		t.Errorf("%d copies", len(i.Copies))
	}
	texts := map[string]bool{}
	for _, d := range all {
		i, err := d.Find("POST 1/30")
		must(t, err)
		texts[i.Text] = true
	}
	if len(texts) != 2 {
		t.Error("two readers hold the same words")
	}
	// The recall goes to all of them, and whoever did not open it never will.
	if _, _, err := author.Recall(ctx, "POST 1/30", "wrong list"); err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		must(t, d.Sync(ctx, 5*time.Second))
		if i, err := d.Find("POST 1/30"); err != nil || i.Recall != "wrong list" {
			t.Errorf("%s did not hear of the recall: %v", d.Person, errors.Join(err, w.Err()))
		}
	}
}

// peak is the most memory that this process had, in bytes.
func peak(b testing.TB) int64 {
	b.Helper()
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip(err)
	}
	_, rest, _ := strings.Cut(string(data), "VmHWM:")
	var kB int64
	if _, err := fmt.Sscan(rest, &kB); err != nil {
		b.Fatal(err)
	}
	return kB << 10
}

// BenchmarkWide sends one cable to 100, 1,000 and 10,000 readers, of whom four are there.
// All parties are in this process: its memory is that of all of them, and of a directory
// in each. The last takes minutes.
func BenchmarkWide(b *testing.B) {
	for _, readers := range []int{100, 1000, 10000} {
		b.Run(fmt.Sprint(readers), func(b *testing.B) {
			w, author, all := crowd(b, 4, b.N+1)
			populate(b, w, "centre.desk", readers-len(all))
			for _, d := range append(all, author) {
				if err := d.Sync(context.Background(), 0); err != nil {
					b.Fatal(err)
				}
			}
			if err := w.Stocked(context.Background(), time.Minute); err != nil {
				b.Fatal(err)
			}
			before, registry := peak(b), folderSize(b, w.Folder, "registry")
			var sending, issuing, opening time.Duration
			b.ResetTimer()
			for n := range b.N {
				s, i, o := wide(b, w, author, all, fmt.Sprintf("POST %d/30", n))
				sending, issuing, opening = sending+s, issuing+i, opening+o
			}
			copies := float64(b.N * readers)
			b.ReportMetric(float64(sending.Microseconds())/copies, "µs-sending/copy")
			b.ReportMetric(float64(issuing.Microseconds())/copies, "µs-issuing/copy")
			b.ReportMetric(float64(opening.Milliseconds())/float64(b.N*len(all)), "ms/open")
			b.ReportMetric(float64(folderSize(b, w.Folder, "registry")-registry)/copies/1000, "registry-kB/copy")
			b.ReportMetric(float64(peak(b)-before)/1e6, "peak-MB-more")
			b.ReportMetric(float64(before)/1e6, "peak-MB-before")
		})
	}
}
