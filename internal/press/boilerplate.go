package press

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Longest headline of another story, and longest line of page furniture, in
// characters. Longer texts are left alone: a word too many is no harm, a word
// of the report lost is.
const (
	maxTeaser = 250
	maxLabel  = 160
)

// maxTeasers is how many headlines a page may have put behind one paragraph.
const maxTeasers = 4

const teaserWords = `Also Read|Also See|Read Also|See Also|Read More|Must Read|Related|` +
	`Related (?:Story|Stories|Article|Articles|News|Coverage|Content)|Recommended|You May Also Like`

var (
	// teaserMark finds "Read more: ..." where a sentence has just ended.
	teaserMark = regexp.MustCompile(`(?:^|[.!?…]["”’'»“)\]]*\s+|["”»]\s+)((?i:` + teaserWords + `)\s*(?::|\||[-–—]+\s)\s*)(\S.*)$`)
	// plainMark finds "Also Read - ..." anywhere: so capitalised it is no
	// part of a sentence.
	plainMark = regexp.MustCompile(`(?:^|\s)((?:Also Read|ALSO READ|Read Also|READ ALSO)\s*(?::|\||[-–—]+\s)\s*)(\S.*)$`)
	innerStop = regexp.MustCompile(`\pL{2,}["”’']?\.["”’']?\s+["“‘']?\p{Lu}`)
)

// cutTeaser takes the headlines of other stories off the end of a paragraph.
func cutTeaser(p string) string {
	for range maxTeasers {
		p = cutLastTeaser(p)
	}
	return p
}

func cutLastTeaser(p string) string {
	// Only the end can hold a headline; the bytes before it are not searched.
	from := tailStart(p)
	for _, mark := range []*regexp.Regexp{teaserMark, plainMark} {
		for at := from; at < len(p); {
			m := mark.FindStringSubmatchIndex(p[at:])
			if m == nil {
				break
			}
			before, rest := p[:at+m[2]], p[at+m[4]:]
			inside := at == 0 || m[2] > 0
			if inside && startsUpper(p[at+m[2]:]) && isHeadline(rest) && !closesQuote(before, rest) {
				return strings.TrimRight(before, " ")
			}
			at += m[4]
		}
	}
	return p
}

// tailStart returns where the last characters of p begin, as many as a
// headline and its label may have.
func tailStart(p string) int {
	at := max(0, len(p)-(maxTeaser+60)*utf8.UTFMax)
	for at > 0 && !utf8.RuneStart(p[at]) {
		at--
	}
	return at
}

// isHeadline tells the headline of another story from sentences of this one.
func isHeadline(s string) bool {
	if utf8.RuneCountInString(s) > maxTeaser {
		return false
	}
	first, _ := utf8.DecodeRuneInString(s)
	if unicode.IsLower(first) {
		return false
	}
	return !(strings.HasSuffix(strings.TrimRight(s, `"'”’ `), ".") && innerStop.MatchString(s))
}

// closesQuote says whether rest closes a quotation that before left open; then
// the words between belong to a speaker, not to the page.
func closesQuote(before, rest string) bool {
	if strings.Count(rest, "”") > strings.Count(rest, "“") {
		return true
	}
	return strings.Count(before, `"`)%2 == 1 && strings.Count(rest, `"`)%2 == 1
}

var label = regexp.MustCompile(`(?i)^\W*(?:` + strings.Join([]string{
	`advertisements?`,
	`sponsored(?: content| by .*)?`,
	`(?:story|article) continues(?: below| after)?(?: this)?(?: advertisement| ad)?`,
	`continue reading(?: the main story)?`,
	`read more`,
	`related(?: stor(?:y|ies)| articles?| news| coverage| content| topics?| links?)?`,
	`more on this(?: story| topic)?`,
	`share(?: this)?(?: article| story| page)?(?: (?:on|via|with) .*)?`,
	`sign up (?:for|to|now|here|today)\b.*`,
	`subscribe(?: (?:to|now|here|today|for)\b.*)?`,
	`follow us(?: on .*)?`,
	`newsletters?`,
	`most (?:read|popular|viewed)`,
	`trending(?: now)?`,
	`recommended(?: for you)?`,
	`you may also like`,
	`(?:view |show |leave a )?comments?(?: \(?\d+\)?)?`,
	`copy link|print|tweet|whatsapp|facebook|twitter|e-?mail`,
	`skip to (?:main )?content`,
	`(?:photo|photograph|picture|image)s?(?: credits?| by)?\s*[:|].*`,
	`credit: .*`,
	`all rights reserved\b.*`,
}, "|") + `)\W*$`)

// isLabel says whether a whole paragraph is furniture of the page: a label, a
// request to subscribe, a picture credit. Nothing with words in quotation
// marks is.
func isLabel(p string) bool {
	if utf8.RuneCountInString(p) > maxLabel || strings.ContainsAny(p, `"“”«»„`) {
		return false
	}
	return label.MatchString(p) && !strings.Contains(p, " said")
}
