package witness

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"chancery/internal/custody"
	"chancery/internal/fault"
)

func originHash(origin string) string {
	sum := sha256.Sum256([]byte(origin))
	return hex.EncodeToString(sum[:])
}

// Handler serves a witness: POST /add-checkpoint and GET /<origin
// hash>/checkpoint. Refusals and failures are told to logf, if it is not nil,
// without any content of a request.
func (w *Witness) Handler(logf func(status int, why string)) http.Handler {
	if logf == nil {
		logf = func(int, string) {}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /add-checkpoint", func(out http.ResponseWriter, in *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(out, in.Body, MaxRequest))
		if err != nil {
			http.Error(out, "the request is too long or broke off", http.StatusRequestEntityTooLarge)
			return
		}
		lines, err := w.Add(body)
		if err == nil {
			out.Header().Set("Content-Type", "text/plain; charset=utf-8")
			out.Write(lines)
			return
		}
		answer(out, err, logf)
	})
	mux.HandleFunc("GET /{hash}/checkpoint", func(out http.ResponseWriter, in *http.Request) {
		note, err := w.Checkpoint(in.PathValue("hash"))
		if err != nil {
			answer(out, err, logf)
			return
		}
		out.Header().Set("Content-Type", "text/plain; charset=utf-8")
		out.Write(note)
	})
	return mux
}

// answer tells a client why it gets nothing.
func answer(out http.ResponseWriter, err error, logf func(int, string)) {
	var r *Refusal
	if !errors.As(err, &r) {
		r = &Refusal{Status: fault.KindOf(err).HTTPStatus(), Why: "the witness failed"}
		if r.Status == http.StatusNotFound {
			r.Why = err.Error()
		}
	}
	logf(r.Status, err.Error())
	if r.Status == http.StatusConflict {
		out.Header().Set("Content-Type", "text/x.tlog.size")
		out.WriteHeader(r.Status)
		fmt.Fprintf(out, "%d\n", r.Size)
		return
	}
	http.Error(out, r.Why, r.Status)
}

// A Gatherer asks a log's witnesses for cosignatures. It is for one goroutine.
type Gatherer struct {
	Storage custody.Storage
	Policy  *custody.Policy
	Client  *http.Client

	sizes map[string]int64 // what each witness cosigned last, by address
}

// askTime is how long one witness may take.
const askTime = 5 * time.Second

// Round asks every witness of the policy to cosign the newest checkpoint. If
// enough do, the cosigned checkpoint is stored. The errors of witnesses that did
// not answer are joined and returned; they are reached again in the next round.
func (g *Gatherer) Round(ctx context.Context) error {
	head, err := g.Storage.Head(ctx)
	if err != nil {
		return err
	}
	if g.sizes == nil {
		g.sizes = map[string]int64{}
	}
	all := g.Policy.Witnesses()
	lines, errs, sizes := make([][]byte, len(all)), make([]error, len(all)), make([]int64, len(all))
	var wait sync.WaitGroup
	for i, w := range all {
		sizes[i] = g.sizes[w.URL]
		wait.Go(func() {
			// One that hangs must not keep the others' cosignatures from being stored.
			ctx, cancel := context.WithTimeout(ctx, askTime)
			defer cancel()
			lines[i], sizes[i], errs[i] = g.ask(ctx, w, sizes[i], head)
		})
	}
	wait.Wait()
	for i, w := range all {
		g.sizes[w.URL] = sizes[i]
		if errs[i] != nil {
			errs[i] = fault.Wrap("witness "+w.URL, errs[i])
		}
	}
	cosigned := slices.Concat(append([][]byte{head.Checkpoint}, lines...)...)
	if _, enough, err := g.Policy.Open(cosigned); err != nil {
		errs = append(errs, err)
	} else if enough && len(all) > 0 {
		errs = append(errs, g.Storage.SetCosigned(ctx, head.Size, cosigned))
	}
	return errors.Join(errs...)
}

// ask asks one witness, and once more if it remembers another size than we do.
// It returns its verified signature lines and what it has cosigned now.
func (g *Gatherer) ask(ctx context.Context, w custody.WitnessAddress, old int64, head custody.Head) ([]byte, int64, error) {
	for range 2 {
		var proof tlog.TreeProof
		if old <= head.Size {
			var err error
			if proof, err = custody.ProveConsistency(ctx, g.Storage, old, head.Size); err != nil {
				return nil, old, err
			}
		}
		status, body, err := g.post(ctx, w.URL, formatRequest(old, proof, head.Checkpoint))
		if err != nil {
			return nil, old, err
		}
		switch status {
		case http.StatusOK:
			lines, err := verified(head.Checkpoint, body, w.Keys)
			return lines, head.Size, err
		case http.StatusConflict:
			size, err := strconv.ParseInt(strings.TrimSuffix(string(body), "\n"), 10, 64)
			if err != nil || size < 0 {
				return nil, old, fault.Input.New("it answered with a size that is none")
			}
			if old = size; old > head.Size {
				return nil, old, fault.Mismatch.New("it has cosigned %d entries and the log has %d: was an old state of the log put back?", old, head.Size)
			}
		default:
			return nil, old, fault.System.New("it answered %d: %s", status, strings.TrimSpace(string(body[:min(len(body), 200)])))
		}
	}
	return nil, old, fault.System.New("it is asked by somebody else at the same time")
}

func (g *Gatherer) post(ctx context.Context, url string, body []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(url, "/")+"/add-checkpoint", bytes.NewReader(body))
	if err != nil {
		return 0, nil, fault.Usage.Wrap(err, "not an address")
	}
	answer, err := g.Client.Do(req)
	if err != nil {
		return 0, nil, fault.System.Wrap(err, "not reached")
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(io.LimitReader(answer.Body, MaxRequest))
	if err != nil {
		return 0, nil, fault.System.Wrap(err, "the answer broke off")
	}
	return answer.StatusCode, data, nil
}

// verified returns the lines of an answer that are signatures of a checkpoint by
// the keys; others are ignored. All keys must have signed.
func verified(checkpoint, answer []byte, keys []note.Verifier) ([]byte, error) {
	text, _, _ := bytes.Cut(checkpoint, []byte("\n\n"))
	n, err := note.Open(slices.Concat(text, []byte("\n\n"), answer), note.VerifierList(keys...))
	if err != nil || len(n.Sigs) != len(keys) {
		return nil, fault.Mismatch.New("its answer is not its cosignature of this checkpoint")
	}
	var out []byte
	for _, s := range n.Sigs {
		out = fmt.Appendf(out, "— %s %s\n", s.Name, s.Base64)
	}
	return out, nil
}
