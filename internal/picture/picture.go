// Package picture draws a finding as a small SVG: every copy as a dot, by the
// strength of its agreement with the words, in powers of ten, and the line a
// copy has to cross to be named. Only named copies carry a label.
package picture

import (
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
)

// A Chart is what is drawn.
type Chart struct {
	Title   string
	Verdict string // one line under the title
	// Axis says what the axis shows, and Tick stands before its powers of ten.
	Axis, Tick string
	// Strengths are decimal logarithms of all copies' figures, largest first.
	Strengths []float64
	// Need is the strength that names a copy.
	Need float64
	// Named are the labels of the copies beyond the line, strongest first:
	// they are the first of Strengths.
	Named []string
}

const (
	width, height  = 760, 250
	left, right    = 40, 720
	axis           = 190
	dotRadius      = 6
	dotsPerColumn  = 7
	columnTolerant = 13 // dots closer than this are stacked
)

// SVG returns the drawing.
func (c Chart) SVG() []byte {
	var b strings.Builder
	top := c.Need * 1.25
	if len(c.Strengths) > 0 {
		top = max(top, c.Strengths[0]*1.08)
	}
	x := func(strength float64) float64 {
		return left + (right-left)*min(max(strength, 0), top)/top
	}
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="%s" font-family="system-ui, sans-serif">`+"\n",
		width, height, html.EscapeString(c.Title+". "+c.Verdict))
	b.WriteString(style)
	fmt.Fprintf(&b, `<rect class="paper" width="%d" height="%d" rx="8"/>`+"\n", width, height)
	fmt.Fprintf(&b, `<text class="title" x="%d" y="32">%s</text>`+"\n", left, html.EscapeString(c.Title))
	fmt.Fprintf(&b, `<text class="verdict" x="%d" y="54">%s</text>`+"\n", left, html.EscapeString(c.Verdict))
	c.drawAxis(&b, x, top)
	c.drawDots(&b, x)
	b.WriteString("</svg>\n")
	return []byte(b.String())
}

const style = `<style>
.paper{fill:#fbfaf7}.title{font-size:17px;font-weight:600;fill:#1d2733}.verdict{font-size:13px;fill:#46525f}
.tick{font-size:11px;fill:#5b6670}.axis{stroke:#8a949d}.need{stroke:#a4262c;stroke-dasharray:5 4}.needtext{font-size:12px;fill:#a4262c}
.dot{fill:#9aa7b4}.named{fill:#a4262c}.label{font-size:13px;font-weight:600;fill:#1d2733}
@media (prefers-color-scheme: dark){.paper{fill:#171c22}.title,.label{fill:#eef1f4}.verdict,.tick{fill:#aab4be}.needtext{fill:#ff8a80}.need{stroke:#ff8a80}.named{fill:#ff8a80}}
</style>
`

func (c Chart) drawAxis(b *strings.Builder, x func(float64) float64, top float64) {
	fmt.Fprintf(b, `<line class="axis" x1="%d" y1="%d" x2="%d" y2="%d"/>`+"\n", left, axis, right, axis)
	step := math.Max(1, math.Ceil(top/8))
	for t := 0.0; t <= top; t += step {
		text := "1"
		if t > 0 {
			text = c.Tick + "10" + superscript(int(t))
		}
		fmt.Fprintf(b, `<text class="tick" text-anchor="middle" x="%.1f" y="%d">%s</text>`+"\n", x(t), axis+18, text)
	}
	fmt.Fprintf(b, `<text class="tick" x="%d" y="%d">%s</text>`+"\n", left, axis+40, html.EscapeString(c.Axis))
	fmt.Fprintf(b, `<line class="need" x1="%.1f" y1="78" x2="%.1f" y2="%d"/>`+"\n", x(c.Need), x(c.Need), axis)
	fmt.Fprintf(b, `<text class="needtext" text-anchor="middle" x="%.1f" y="72">named from here on</text>`+"\n", x(c.Need))
}

// drawDots stacks dots that would hide each other.
func (c Chart) drawDots(b *strings.Builder, x func(float64) float64) {
	stack := map[int]int{}
	for i, s := range c.Strengths {
		column := int(x(s)) / columnTolerant
		level := min(stack[column], dotsPerColumn)
		stack[column]++
		class, cx, cy := "dot", x(s), float64(axis-dotRadius-3-level*(dotRadius*2+1))
		if i < len(c.Named) {
			class = "named"
			fmt.Fprintf(b, `<text class="label" text-anchor="end" x="%.1f" y="%.1f">%s</text>`+"\n", cx+dotRadius, cy-14-float64(16*i),
				html.EscapeString(c.Named[i]))
		}
		fmt.Fprintf(b, `<circle class="%s" cx="%.1f" cy="%.1f" r="%d"/>`+"\n", class, cx, cy, dotRadius)
	}
}

// superscript writes a number in raised digits.
func superscript(n int) string {
	return strings.NewReplacer("0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴", "5", "⁵", "6", "⁶", "7", "⁷", "8", "⁸", "9", "⁹").
		Replace(strconv.Itoa(n))
}
