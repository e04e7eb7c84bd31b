package testworld

import (
	"fmt"
	"html"
	"math/rand/v2"
	"strings"
)

// A Paper is how a newspaper sets a report about a leak.
type Paper int

const (
	Wire       Paper = iota // plain text, "straight marks"
	Broadsheet              // plain text, “curly marks”
	Site                    // a web page with menus and teasers, “curly marks”
)

// Name returns the file name of a report with that number.
func (p Paper) Name(n int) string {
	if p == Site {
		return fmt.Sprintf("report-%d.html", n)
	}
	return fmt.Sprintf("report-%d.txt", n)
}

// leads, bridges and others are a journalist's own words; %s is a quotation.
var (
	leads = []string{
		"A confidential report from one of our missions abroad has come into the hands of this newspaper, and it makes uncomfortable reading for ministers.",
		"Officials were last night trying to find out how a message meant for a handful of eyes came to be passed to reporters.",
		"The contents of a diplomatic message, seen by several news organisations this week, have caused consternation at home.",
	}
	bridges = []string{
		"The message, which was marked for limited circulation, goes on: %s.",
		"In one passage the writer says %s, a sentence that is bound to be read with care in more than one capital.",
		"Elsewhere the author notes %s.",
		"%s, the text continues, according to two people who have read it.",
		"It is in the last part that the tone changes. %s, the envoy writes.",
		"Further down stands %s, but nobody at the department would say on Friday what was meant.",
		"%s. However, people who know the author doubt that more was intended.",
		"Asked about the words %s, a spokeswoman had nothing to add on Thursday evening.",
	}
	others = []string{
		"%s, the deputy prime minister told a packed chamber, to cries from the benches opposite.",
		"A former head of mission, who knows the country well, called the episode %s.",
		"The chairman of the committee said he would be writing to the department. %s, he added.",
	}
	said = []string{
		"We do not comment on stolen papers, and we shall not begin today",
		"a sad day for everybody who has ever served overseas",
		"Those who did this have done their country no favours, and they will be found",
		"a matter for the police, and I have every confidence in them",
		"Nobody in this house can take any pleasure from what has been printed",
	}
	teasers = []string{
		"Also Read - Ferry timetable to change from Monday",
		"Read more: The ten best gardens to see this spring",
	}
)

// Report writes a newspaper's report that quotes the fragments, in order,
// between words of its own and words of other people. It never prints more of
// the cable than the fragments.
func (p Paper) Report(fragments []string, r *rand.Rand) []byte {
	paragraphs := []string{pick(r, leads)}
	for i, f := range fragments {
		paragraphs = append(paragraphs, fmt.Sprintf(pick(r, bridges), p.quote(f)))
		if i%2 == 1 {
			paragraphs = append(paragraphs, fmt.Sprintf(pick(r, others), p.quote(pick(r, said))))
		}
	}
	paragraphs = append(paragraphs, "The department declined to say how many people had been sent the message.")
	if p != Site {
		return []byte(strings.Join(append(paragraphs, pick(r, teasers)), "\n\n") + "\n")
	}
	return page(paragraphs)
}

// quote puts a fragment in quotation marks, and marks inside it in others.
func (p Paper) quote(fragment string) string {
	if p == Wire {
		inner := strings.NewReplacer("“", "'", "”", "'", `"`, "'", "’", "'", "‘", "'").Replace(fragment)
		return `"` + inner + `"`
	}
	return "“" + strings.NewReplacer("“", "‘", "”", "’").Replace(fragment) + "”"
}

func page(paragraphs []string) []byte {
	var b strings.Builder
	b.WriteString("<!DOCTYPE html><html><head><title>Leaked message</title></head><body>\n" +
		"<nav><a href=\"/\">Home</a> <a href=\"/world\">World</a> <a href=\"/sport\">Sport</a></nav>\n" +
		"<article><h1>Leaked message embarrasses ministers</h1><p class=\"byline\">By our diplomatic staff</p>\n")
	for i, p := range paragraphs {
		fmt.Fprintf(&b, "<p>%s</p>\n", html.EscapeString(p))
		if i == 1 {
			b.WriteString("<aside class=\"related\"><a href=\"/gardens\">The ten best gardens to see this spring</a></aside>\n")
		}
	}
	b.WriteString("</article>\n<footer><p>All rights reserved.</p></footer></body></html>\n")
	return []byte(b.String())
}
