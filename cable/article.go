package cable

// An Article is a leaked text as somebody printed it: running prose in
// blocks, with the stretches that stand in quotation marks. Package press
// makes articles; package trace reads them; neither knows the other.
type Article struct {
	// Name says where the text came from, as the user named it.
	Name string
	// Blocks are the paragraphs of the text in reading order.
	Blocks []Block
}

// A Block is one paragraph of an article.
type Block struct {
	// Text is the paragraph, valid UTF-8, marks included.
	Text string
	// Quotes are the quoted stretches, sorted, not overlapping, outermost
	// marks only and without the marks themselves. A quotation that runs on
	// over several paragraphs is one span in each of them.
	Quotes []Span
}

// A Span is a half-open range of byte offsets into a text.
type Span struct{ Start, End int }
