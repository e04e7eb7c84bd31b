// Package trace says which copy the words of a leak came from, or that it
// cannot tell.
//
// It works in a fixed order. First the words are read: aligned to the lattice
// of the draft, with no codeword in sight, which gives a weight to each
// alternative of each group (Reading). Only then are copies scored
// (Score, Joint, EValue), and a copy is named only when its score meets a
// bound fixed beforehand (Rule). Because the symbols of a copy that did not
// reach the source are independent of everything that was read, no error of
// reading and no behaviour of the source can break the bound.
//
// The package is pure: no files, no network, no clock. It never draws
// symbols and never learns who a reader is. docs/theory.md has the proofs.
package trace
