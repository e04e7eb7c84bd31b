package review

import (
	"strings"
	"testing"

	"chancery/internal/wording"
)

// long is a draft of about 1,500 words.
var long = []byte("Subject: x\n" + strings.Repeat("\n"+strings.SplitN(draft, "\n\n", 2)[1], 23))

func BenchmarkTagOnly(b *testing.B) {
	for b.Loop() {
		if _, err := wording.TagOnly(long); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPropose(b *testing.B) {
	for b.Loop() {
		if _, err := wording.Propose(long, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkKey is what happens between a key and the screen after it.
func BenchmarkKey(b *testing.B) {
	s, err := New(long, &wording.Learned{}, 0)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if !s.Press(Event{Key: "a"}) {
			b.Fatal(s.said)
		}
		s.Screen(80, true)
	}
}
