// Package model asks a language model on this machine for other wordings. It
// is off unless somebody names an address, and that address must be a loopback
// one: a draft never leaves the machine. What comes back is not trusted; package
// wording decides what of it goes before the author.
package model

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"chancery/internal/fault"
	"chancery/internal/wording"
)

// A Client speaks to one server that answers as OpenAI's does
// (POST .../chat/completions).
type Client struct {
	url   string
	model string
	http  *http.Client
}

const (
	timeout   = 2 * time.Minute // for one paragraph
	maxAnswer = 1 << 20         // bytes of an answer
	maxAsked  = 8000            // bytes of a paragraph
	most      = 50              // suggestions for one paragraph
)

// New returns a client of the server at base, such as
// http://127.0.0.1:8080/v1. An address that is not a loopback one is refused
// (fault.Permission).
func New(base, name string) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return nil, fault.Usage.New("%q is not the address of a model", base).WithHint("such as http://127.0.0.1:8080/v1")
	}
	if !isLoopback(u.Hostname()) {
		return nil, fault.Permission.New("%s is not on this machine", u.Hostname()).
			WithHint("a draft is shown to no other machine: run the model on 127.0.0.1")
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: onlyLoopback}
	return &Client{strings.TrimSuffix(base, "/") + "/chat/completions", name, &http.Client{
		Timeout:   timeout,
		Transport: &http.Transport{DialContext: dialer.DialContext, Proxy: nil},
		// A redirection could lead off the machine.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true // the address it stands for is checked when dialling
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// onlyLoopback refuses a connection by the address that was really resolved.
func onlyLoopback(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !at.Addr().IsLoopback() {
		return fmt.Errorf("%s is not on this machine", address)
	}
	return nil
}

const instructions = `You suggest other wordings for words of a confidential diplomatic cable. For each place give words
exactly as they stand in the paragraph and up to three alternatives that mean the same in the same register and fit
the sentence as it is. Never touch names, figures, dates, quotations, negations, modal verbs or instructions.
Answer with a JSON array only: [{"original":"words","alternatives":["one","two"]}]`

type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

type request struct {
	Model       string    `json:"model"`
	Messages    []message `json:"messages"`
	Temperature float64   `json:"temperature"`
	Seed        int       `json:"seed"`
}

type answer struct {
	Choices []struct {
		Message message `json:"message"`
	} `json:"choices"`
}

// Suggest asks for other wordings of one paragraph of a draft.
func (c *Client) Suggest(ctx context.Context, paragraph int, text string) ([]wording.Suggestion, error) {
	if len(text) > maxAsked {
		return nil, nil
	}
	body, err := json.Marshal(request{c.model, []message{{"system", instructions}, {"user", text}}, 0.2, 1})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, explain(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, explain(err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fault.System.New("the model answered %s", resp.Status).WithHint("see what its server says")
	}
	var a answer
	if err := json.Unmarshal(data, &a); err != nil || len(a.Choices) == 0 {
		return nil, fault.System.New("the model's answer cannot be read").WithHint("its server must answer as OpenAI's does")
	}
	return parse(paragraph, a.Choices[0].Message.Content), nil
}

func explain(err error) error {
	if errors.Is(err, context.Canceled) {
		return fault.Interrupted.Wrap(err, "the model")
	}
	return fault.System.Wrap(err, "the model cannot be asked").WithHint("see whether its server runs, or leave --model-url out")
}

// parse reads what a model wrote, leniently: the first array of JSON in it.
// Anything else is no suggestion.
func parse(paragraph int, text string) []wording.Suggestion {
	var places []struct {
		Original     string   `json:"original"`
		Alternatives []string `json:"alternatives"`
	}
	start := strings.IndexByte(text, '[')
	if start < 0 || json.NewDecoder(strings.NewReader(text[start:])).Decode(&places) != nil {
		return nil
	}
	var out []wording.Suggestion
	for _, p := range places {
		for _, a := range p.Alternatives {
			if len(out) < most {
				out = append(out, wording.Suggestion{Paragraph: paragraph, Original: p.Original, Alternative: a})
			}
		}
	}
	return out
}
