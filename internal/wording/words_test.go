package wording

import (
	"slices"
	"testing"
)

func TestCut(t *testing.T) {
	tests := []struct {
		text string
		want []string
	}{
		{"They don't.", []string{"They", "do", "n't", "."}},
		{"They don’t.", []string{"They", "do", "n’t", "."}},
		{"WE DON'T, A'D", []string{"WE", "DO", "N'T", ",", "A", "'D"}},
		{"Ministry’S", []string{"Ministry", "’S"}},
		{"the U.S. and 1,000", []string{"the", "U.S.", "and", "1,000"}},
	}
	for _, tt := range tests {
		words := cut(tt.text)
		var got []string
		for _, w := range words {
			got = append(got, w.text)
			if tt.text[w.start:w.end] != w.text {
				t.Errorf("%q: %q stands at %q", tt.text, w.text, tt.text[w.start:w.end])
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%q: %q, want %q", tt.text, got, tt.want)
		}
	}
}
