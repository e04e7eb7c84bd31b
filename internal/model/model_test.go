package model

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"chancery/internal/fault"
	"chancery/internal/wording"
)

// serve answers every question with content, and returns a client of it.
func serve(t *testing.T, status int, content string) (*Client, *string) {
	t.Helper()
	var asked string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.URL.Path != "/v1/chat/completions" {
			t.Error(err, r.URL)
		}
		asked = string(body)
		w.WriteHeader(status)
		if err := json.NewEncoder(w).Encode(map[string]any{"choices": []any{map[string]any{"message": map[string]string{"role": "assistant", "content": content}}}}); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	c, err := New(server.URL+"/v1", "small")
	if err != nil {
		t.Fatal(err)
	}
	return c, &asked
}

func TestOnlyThisMachine(t *testing.T) {
	for _, base := range []string{"http://192.0.2.1:80/v1", "http://model.example/v1", "http://0.0.0.0/v1", "http://[2001:db8::1]/v1"} {
		if _, err := New(base, "x"); !errors.Is(err, fault.Permission) {
			t.Errorf("%s: %v", base, err)
		}
	}
	for _, base := range []string{"", "ftp://127.0.0.1", "127.0.0.1:80", "http://user:word@127.0.0.1/v1"} {
		if _, err := New(base, "x"); !errors.Is(err, fault.Usage) {
			t.Errorf("%s: %v", base, err)
		}
	}
	if err := onlyLoopback("tcp", "192.0.2.1:80", nil); err == nil {
		t.Error("a name that resolves elsewhere is dialled")
	}
}

// The attack: the server on this machine sends the draft on by redirecting.
func TestRedirectionIsNotFollowed(t *testing.T) {
	followed := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed = true }))
	defer elsewhere.Close()
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	c, err := New(server.URL, "x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Suggest(t.Context(), 0, "text"); err == nil || followed {
		t.Error(err, followed)
	}
}

func TestSuggest(t *testing.T) {
	c, asked := serve(t, http.StatusOK, "Here you are:\n```json\n[{\"original\":\"was clumsy\",\"alternatives\":[\"was maladroit\",\"was heavy-handed\"]}]\n```")
	got, err := c.Suggest(t.Context(), 2, "He was clumsy.")
	if err != nil || len(got) != 2 || got[1] != (wording.Suggestion{Paragraph: 2, Original: "was clumsy", Alternative: "was heavy-handed"}) {
		t.Error(got, err)
	}
	if !strings.Contains(*asked, "He was clumsy.") || !strings.Contains(*asked, `"model":"small"`) {
		t.Error(*asked)
	}
}

func TestBadAnswers(t *testing.T) {
	for _, content := range []string{"", "no", "[", "[1]", `{"original":"x"}`, `[{"original":1}]`} {
		c, _ := serve(t, http.StatusOK, content)
		if got, err := c.Suggest(t.Context(), 0, "text"); err != nil || len(got) != 0 {
			t.Errorf("%q: %v, %v", content, got, err)
		}
	}
	c, _ := serve(t, http.StatusInternalServerError, "")
	if _, err := c.Suggest(t.Context(), 0, "text"); !errors.Is(err, fault.System) {
		t.Error(err)
	}
}
