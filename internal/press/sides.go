package press

// sidesOf says of each mark whether it opens or closes, by its shape and by
// the characters around it.
func sidesOf(marks []mark) []side {
	styles := stylesOf(marks)
	sides := make([]side, len(marks))
	for i, m := range marks {
		switch m.family() {
		case double:
			sides[i] = doubleSide(m, styles)
		case single:
			sides[i] = singleSide(m, styles)
		case angle, smallAngle:
			sides[i] = angleSide(m, styles)
		case corner:
			sides[i] = bySide(m.shape == '「')
		}
	}
	return sides
}

// styles are the habits that one paragraph shows.
type styles struct {
	low       bool // „German“ marks
	lowSingle bool // ‚German‘ marks
	curly     bool // some “ or „
	reversed  [smallAngle + 1]bool
}

func stylesOf(marks []mark) styles {
	var s styles
	var seen [smallAngle + 1]bool
	for _, m := range marks {
		switch m.shape {
		case '„':
			s.low, s.curly = true, true
		case '“':
			s.curly = true
		case '‚':
			s.lowSingle = true
		}
		if f := m.family(); f == angle || f == smallAngle {
			if !seen[f] {
				s.reversed[f] = (m.shape == '»' || m.shape == '›') && m.canOpen()
			}
			seen[f] = true
		}
	}
	return s
}

func bySide(open bool) side {
	if open {
		return opens
	}
	return closes
}

func doubleSide(m mark, s styles) side {
	open, shut := m.canOpen(), m.canClose()
	switch m.shape {
	case '„':
		return opens
	case '“':
		if s.low {
			return bySide(open && !shut)
		}
		return bySide(open || !shut)
	case '”':
		return bySide(open && !shut && !s.curly)
	}
	if open == shut {
		return either
	}
	return bySide(open)
}

// singleSide tells quotation marks from apostrophes; those are neither.
func singleSide(m mark, s styles) side {
	open, shut := m.canOpen(), m.canClose()
	switch {
	case m.shape == '‚':
		if classOf(m.left) != word && classOf(m.right) == word {
			return opens
		}
	case m.shape == '‘' && s.lowSingle && shut:
		return closes
	case m.shape == '’':
		if shut {
			return closes
		}
	case open && !shut:
		return opens
	case shut && !open && m.shape != '`':
		return closes
	}
	return neither
}

func angleSide(m mark, s styles) side {
	left := m.shape == '«' || m.shape == '‹'
	if s.reversed[m.family()] {
		// »so« and »so»: the character after the mark decides.
		return bySide(!left && m.canOpen())
	}
	return bySide(left)
}
