package town_test

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"chancery/internal/desk"
	"chancery/internal/pass"
	"chancery/internal/sign"
	"chancery/internal/town"
)

// bareTrips measures round trips over one TLS connection of the same kind, to a server
// that answers at once, from as many clients as given. It returns trips a second.
func bareTrips(b testing.TB, clients int) float64 {
	b.Helper()
	operator, device := sign.Generate(), sign.Generate()
	server, err := pass.Server(operator, "bare.example/log", func(sign.ID) (*sign.Public, error) { return device.Public(), nil }, time.Now)
	if err != nil {
		b.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	answer := []byte(strings.Repeat("x", 4096))
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Write(answer)
	}), TLSConfig: server}
	go s.ServeTLS(l, "", "")
	defer s.Close()
	const each = 400
	var wait sync.WaitGroup
	begun := time.Now()
	for range clients {
		wait.Go(func() {
			c, err := pass.Client(device, "bare.example/log", operator.Public(), time.Now)
			if err != nil {
				b.Error(err)
				return
			}
			h := &http.Client{Transport: &http.Transport{TLSClientConfig: c, ForceAttemptHTTP2: true}}
			defer h.CloseIdleConnections()
			for range each {
				r, err := h.Post("https://"+l.Addr().String()+"/", "text/plain", strings.NewReader(string(answer)))
				if err != nil {
					b.Error(err)
					return
				}
				io.Copy(io.Discard, r.Body)
				r.Body.Close()
			}
		})
	}
	wait.Wait()
	return float64(clients*each) / time.Since(begun).Seconds()
}

// long is a draft of about so many words.
func long(reference string, words int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Reference: %s\nSubject: The harbour\n", reference)
	for n := 0; n < words; n += 20 {
		b.WriteString("\nThe minister was {evasive|guarded|unforthcoming} about the harbour and {left early|did not stay}, and we {think|believe} that the {plan|scheme} will fail.\n")
	}
	return b.String()
}

// crowd is an institution with an author and readers.
func crowd(b testing.TB, readers, draws int) (*town.Town, *desk.Desk, []*desk.Desk) {
	b.Helper()
	ctx := context.Background()
	w, err := town.Found(ctx, town.Config{Folder: b.TempDir(), Name: "Ministry", Custodians: []string{"auditor", "clerk", "judge"}, Threshold: 2, Stock: draws})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { w.Close() })
	seat := func(id, office string) *desk.Desk {
		d, err := w.Enrol(ctx, id, "Person "+id)
		if err == nil {
			err = w.Seat(ctx, d, office, id)
		}
		if err != nil {
			b.Fatal(err)
		}
		return d
	}
	author := seat("ada", "post.embassy")
	var all []*desk.Desk
	for i := range readers {
		all = append(all, seat(fmt.Sprintf("reader-%d", i), "centre.desk"))
	}
	if err := author.Sync(ctx, 0); err != nil {
		b.Fatal(err)
	}
	return w, author, all
}

// sent waits until a number of draws is ready, sends a cable and waits for its issue.
func sent(b testing.TB, w *town.Town, author *desk.Desk, reference, text string) {
	b.Helper()
	ctx := context.Background()
	if err := w.Ready(ctx, time.Minute); err != nil {
		b.Fatal(err)
	}
	if _, err := author.Queue(desk.Outgoing{Draft: text, To: []string{"centre.desk"}, Precedence: "priority", Reference: reference, Attested: true}); err != nil {
		b.Fatal(err)
	}
	for {
		if err := author.Sync(ctx, time.Second); err != nil {
			b.Fatal(err)
		}
		if i, err := author.Find(reference); err == nil && (i.Issue != nil || i.Void != "") {
			if i.Void != "" {
				b.Fatal(i.Void)
			}
			return
		}
	}
}

// tripsAnOpen is how many requests a reader's desk makes to open a cable that arrived:
// kit, receipt, keys told of, keys fetched, opened.
const tripsAnOpen = 5

// BenchmarkOpen opens cables at four desks at once, through everything: receipt in the
// log, keys from the marking desk, checks, opened in the log. Beside it stand bare round
// trips over the same kind of connection, in the same run.
func BenchmarkOpen(b *testing.B) {
	const readers, cables = 4, 25
	w, author, all := crowd(b, readers, cables+2)
	for n := range cables {
		sent(b, w, author, fmt.Sprintf("POST %d/30", n), long(fmt.Sprintf("POST %d/30", n), 300))
	}
	for _, d := range all {
		if err := d.Sync(context.Background(), 0); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Stocked(context.Background(), time.Minute); err != nil { // draws are made ahead of need
		b.Fatal(err)
	}
	b.ResetTimer()
	begun := time.Now()
	var wait sync.WaitGroup
	for _, d := range all {
		wait.Go(func() {
			for n := range cables {
				if _, err := d.Read(context.Background(), fmt.Sprintf("POST %d/30", n)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wait.Wait()
	opens := readers * cables / time.Since(begun).Seconds()
	b.StopTimer()
	bare := bareTrips(b, readers)
	b.ReportMetric(opens, "opens/s")
	b.ReportMetric(bare, "trips/s")
	b.ReportMetric(opens*tripsAnOpen/bare, "of-bare")
}

// BenchmarkTenDesks sends a cable of 1,000 words to ten desks that wait for it. The time
// is from the acknowledged send to the last "opened" in the log.
func BenchmarkTenDesks(b *testing.B) {
	ctx := context.Background()
	const cables = 5
	w, author, all := crowd(b, 10, cables+2)
	bare := bareTrips(b, len(all))
	registry, marking, entries := folderSize(b, w.Folder, "registry"), folderSize(b, w.Folder, "marking"), author.Tree().Size
	var total time.Duration
	for n := range cables {
		reference := fmt.Sprintf("POST %d/30", n)
		if err := w.Stocked(ctx, time.Minute); err != nil {
			b.Fatal(err)
		}
		var wait sync.WaitGroup
		for _, d := range all {
			wait.Go(func() {
				for {
					if err := d.Sync(ctx, 20*time.Second); err != nil {
						b.Error(err)
						return
					}
					if i, err := d.Find(reference); err == nil && i.Issue != nil {
						break
					}
				}
				if _, err := d.Read(ctx, reference); err != nil {
					b.Error(err)
				}
			})
		}
		time.Sleep(200 * time.Millisecond) // all wait
		if _, err := author.Queue(desk.Outgoing{Draft: long(reference, 1000), To: []string{"centre.desk"}, Precedence: "flash", Reference: reference, Attested: true}); err != nil {
			b.Fatal(err)
		}
		if err := author.Sync(ctx, 0); err != nil {
			b.Fatal(err)
		}
		begun := time.Now()
		wait.Wait()
		total += time.Since(begun)
	}
	if err := author.Sync(ctx, 0); err != nil {
		b.Fatal(err)
	}
	copies := float64(cables * len(all))
	b.ReportMetric(float64(folderSize(b, w.Folder, "registry")-registry)/copies/1000, "registry-kB/copy")
	b.ReportMetric(float64(folderSize(b, w.Folder, "marking")-marking)/cables/1000, "marking-kB/cable")
	b.ReportMetric(float64(author.Tree().Size-entries)/copies, "entries/copy")
	b.ReportMetric(float64(total.Milliseconds())/cables, "ms/cable")
	b.ReportMetric(float64(len(all)*(tripsAnOpen+2))/bare*1000, "ms/bare-trips")
}

// folderSize is how many bytes the files of a party hold.
func folderSize(b testing.TB, parts ...string) int64 {
	b.Helper()
	var n int64
	err := filepath.WalkDir(filepath.Join(parts...), func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			n += info.Size()
		}
		return nil // gone meanwhile
	})
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// BenchmarkReaders composes one cable for more and more readers at one desk: time and
// memory a reader.
func BenchmarkReaders(b *testing.B) {
	var m runtime.MemStats
	for _, readers := range []int{10, 40} {
		b.Run(fmt.Sprint(readers), func(b *testing.B) {
			w, author, _ := crowd(b, readers, b.N+2)
			b.ResetTimer()
			for n := range b.N {
				sent(b, w, author, fmt.Sprintf("POST %d/30", n), long(fmt.Sprintf("POST %d/30", n), 600))
			}
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*readers), "µs/copy")
		})
	}
}
