// Package cable is the message itself: the draft an author writes, with
// alternatives in its text; the copy a reader receives; the record text that
// history keeps; and the lattice of words a leak is read against.
//
// A draft is a header block, a blank line and paragraphs. At a site the
// draft offers alternatives in braces, {inept|clumsy|out of its depth}; sites
// that share a label are linked and make one group, and a copy is fixed by
// one choice for each group. docs/draft.md specifies the format.
//
// The package is pure text: it reads no file, holds no key, and knows
// nothing of how choices are drawn or which reader holds which copy.
package cable
