// Package wording proposes alternatives for the words of a draft: other
// wordings that a careful author can accept at a glance, because they say the
// same thing in the same register.
//
// It works in one direction: the draft's source is cut into paragraphs whose
// bytes know their place in the file (source.go), paragraphs into sentences of
// tagged words (words.go), and what is not ours to vary is masked (mask.go):
// quoted words, names, figures, agreed text, instructions. Rules (rule.go; the
// tables in rules/) and moves (move_*.go) then find places, each alternative
// is tried in its whole sentence (check.go), and where finds overlap the
// schedule keeps those that tell most (schedule.go).
//
// The package only proposes. It never changes a draft by itself, never sees a
// copy, a reader or a codeword, and never talks to a network. That an
// alternative says the same is for the author to decide: strict readers strike
// about three in a hundred.
package wording
