// Package demo holds the scene that chancery demo plays: an invented embassy,
// six people, a cable, three newspapers that quote it, one that writes of
// something else, and one that prints a wording sent to nobody. The articles
// are templates: what they quote is cut from the copy that leaks, which is
// drawn anew each time. The package marks nothing and traces nothing.
package demo

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"text/template"

	"chancery/cable"
)

//go:embed scene
var scene embed.FS

// A Scene is the cable and the articles about it.
type Scene struct {
	Title, Story string
	// Plain is the cable as it was written, Draft what a review made of it
	// (scene/review.jsonl has the keys that were pressed).
	Plain, Draft []byte
	// Second is a cable that is recalled before anybody opened it.
	Second []byte
	// Outlets, Control and Outsider are the articles, by file name. Control
	// quotes nothing of the cable.
	Outlets []Article
	Control Article
	// Outsider quotes a wording that no reader received.
	Outsider Article

	quotes map[string]string // source text of each quoted stretch
}

// An Article is the template of one newspaper article.
type Article struct {
	Name string
	text string
}

// Load reads the scene from the binary.
func Load() (*Scene, error) {
	s := &Scene{quotes: map[string]string{}}
	s.Plain, s.Draft, s.Second = read("plain.txt"), read("draft.txt"), read("second.txt")
	s.Control = Article{"control.html", string(read("control.html"))}
	s.Outsider = Article{"outsider.txt", string(read("outsider.txt"))}
	title, story, _ := strings.Cut(string(read("story.md")), "\n")
	s.Title = strings.TrimPrefix(title, "# ")
	s.Story, _, _ = strings.Cut(strings.TrimSpace(story), "\n\n")
	for line := range strings.Lines(string(read("quotes.txt"))) {
		if key, text, ok := strings.Cut(strings.TrimSpace(line), " = "); ok {
			s.quotes[key] = text
		}
	}
	names, err := fs.Glob(scene, "scene/outlets/*")
	for _, n := range names {
		s.Outlets = append(s.Outlets, Article{path.Base(n), string(read("outlets/" + path.Base(n)))})
	}
	return s, err
}

func read(name string) []byte {
	data, err := scene.ReadFile("scene/" + name)
	if err != nil {
		panic(err) // the scene is compiled in
	}
	return data
}

// Print returns the article, quoting the copy with the given choices.
func (s *Scene) Print(a Article, draft *cable.Draft, choices []int) (string, error) {
	said := func(key string) (string, error) { return s.said(key, draft, choices) }
	t, err := template.New(a.Name).Funcs(template.FuncMap{"said": said, "house": houseStyle}).Parse(a.text)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	if err := t.Execute(&b, nil); err != nil {
		return "", err
	}
	return b.String(), nil
}

// said renders one quoted stretch of the draft with the choices of a copy. The
// stretch is marked in a copy of the draft by two characters that occur
// nowhere else, so that linked sites are rendered as the draft has them.
func (s *Scene) said(key string, draft *cable.Draft, choices []int) (string, error) {
	const open, shut = "\u2983", "\u2984"
	source, text := string(s.Draft), s.quotes[key]
	if text == "" || strings.Count(source, text) != 1 {
		return "", fmt.Errorf("demo: quotation %q does not stand exactly once in the draft", key)
	}
	marked, err := cable.Parse([]byte(strings.Replace(source, text, open+text+shut, 1)))
	if err != nil {
		return "", fmt.Errorf("demo: quotation %q: %w", key, err)
	}
	_, rest, _ := strings.Cut(marked.Render(choices), open)
	quoted, _, _ := strings.Cut(rest, shut)
	return quoted, nil
}

// houseStyle is what an overseas paper's editor does to spelling.
func houseStyle(text string) string {
	return strings.NewReplacer("programme", "program", "colour", "color", "judgement", "judgment", "favour", "favor").Replace(text)
}
