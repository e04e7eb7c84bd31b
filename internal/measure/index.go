package measure

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"chancery/cable"
	"chancery/trace"
)

const (
	recallGoal  = .95
	sizeGoal    = .5
	lookupGoal  = 10 // microseconds
	quotedWords = 25 // of the quotations that the goals are for
	alteredGoal = .08
	// candidates is how many cables the tracer asks the index for.
	candidates = 8
	// knownGoal is the least share of the words in a row that a copy may have
	// which the index knows; it leaves out what very many cables share.
	knownGoal = .98
	gramWords = 4
	// placesRead is how many places of a large index a look-up of 25 words
	// reads: two for each of 22 grams, of which the index keeps 88 in 256.
	placesRead = 15
)

// Index is the table of finding the cable that a quotation is from among very
// many, by its words alone.
func Index(ctx context.Context, c Config) (Table, error) {
	t := Table{
		Columns: []string{"cables", "words", "altered, %", "quotations", "found first (99 %)", "among first 8", "grams", "median, us", "mean, us", "p99, us"},
	}
	x, err := indexArchive(ctx, c, newArchive(c.at(100_000, 400), c.Cables))
	if err != nil {
		return t, err
	}
	t.How = fmt.Sprintf("%d cables, %d of them real. One word in %d or so has alternatives: one to three, each a word, two words or none. A quotation is words in a row "+
		"of one copy, across two sites at least (one below 16 words), some of them replaced by other words of such texts. Grams: how many stretches of four words the index finds in the right cable, on average. Times are of one look-up in the index.",
		x.size, len(x.real), siteEvery)
	for _, p := range []part{{"real", 0, len(x.real)}, {"made up", len(x.real), x.size}} {
		if err := x.quote(ctx, c, &t, p); err != nil {
			return t, err
		}
	}
	x.tell(&t)
	return t, nil
}

// An indexed archive, and what it took.
type indexed struct {
	*archive
	index          *trace.Index
	record, drafts int       // bytes of text
	parse          []float64 // parsing and making the lattice of each cable, milliseconds
	add, build     time.Duration
	lookups        []float64 // medians for the quotations of the goals, microseconds
}

// indexArchive puts an archive into an index. Lattices are made on all cores,
// some at a time; this goroutine alone adds them, in order.
func indexArchive(ctx context.Context, c Config, a *archive) (*indexed, error) {
	const together = 250
	x, b := &indexed{archive: a}, trace.NewIndexBuilder()
	for from := 0; from < a.size; from += together {
		if from%(20*together) == 0 {
			c.say("index: %d of %d cables", from, a.size)
		}
		some, err := trials(ctx, "", min(together, a.size-from), func(i int, _ *rand.Rand) (prepared, error) {
			return a.prepare(c.fault, from+i)
		})
		if err != nil {
			return nil, err
		}
		for _, p := range some {
			x.record, x.drafts, x.parse = x.record+p.record, x.drafts+p.draft, append(x.parse, p.took)
			start := time.Now()
			b.Add(p.lattice)
			x.add += time.Since(start)
		}
	}
	start := time.Now()
	x.index = b.Build()
	x.build = time.Since(start)
	return x, nil
}

// A prepared cable can be added to an index.
type prepared struct {
	lattice       *cable.Lattice
	record, draft int     // bytes
	took          float64 // milliseconds
}

func (a *archive) prepare(f fault, k int) (prepared, error) {
	spots := a.cable(k)
	p := prepared{record: recordBytes(spots)}
	if f == oneWording {
		for i := range spots {
			spots[i].others = nil
		}
	}
	text := draftText(spots)
	p.draft = len(text)
	start := time.Now()
	d, err := cable.Parse(text)
	if err != nil {
		return p, fmt.Errorf("measure: cable %d of the archive: %w", k, err)
	}
	p.lattice = d.Lattice()
	p.took = time.Since(start).Seconds() * 1e3
	return p, nil
}

// A part of an archive is the cables from..to-1.
type part struct {
	name     string
	from, to int
}

// quote adds the rows of the quotations of one part, and its check.
func (x *indexed) quote(ctx context.Context, c Config, t *Table, p part) error {
	if p.from == p.to {
		return nil
	}
	for _, q := range []struct {
		words   int
		altered float64
	}{{8, alteredGoal}, {12, alteredGoal}, {quotedWords, 0}, {quotedWords, alteredGoal}, {50, alteredGoal}} {
		c.say("index: %s, %d words, %g altered", p.name, q.words, q.altered)
		all, err := trials(ctx, fmt.Sprint("quotations", p.name, q.words, q.altered), c.at(10_000, 200), func(_ int, rng *rand.Rand) (quotation, error) {
			return x.quotation(rng, p, q.words, q.altered)
		})
		if err != nil {
			return err
		}
		l := x.lookUp(all)
		t.row(p.name, q.words, 100*q.altered, len(all), l.first.String(), l.among.rate(), l.grams.value(), l.at(.5), l.took.value(), l.at(.99))
		switch {
		case q.words != quotedWords:
		case q.altered > 0:
			t.reaches(fmt.Sprintf("%s cables found first for %d words, %g %% altered", p.name, q.words, 100*q.altered), l.first, recallGoal, c.full())
			x.lookups = append(x.lookups, l.at(.5))
		case p.from == len(x.real): // real cables share boilerplate, which is left out
			grams := x.index.Kept() * (quotedWords - gramWords + 1)
			t.atLeast(fmt.Sprintf("grams of a copy of a %s cable that the index knows, of those it keeps, plus three standard errors", p.name), l.grams.ahead()/grams, knownGoal)
		}
	}
	return nil
}

// A quotation is words of one copy of a cable.
type quotation struct {
	cable int
	words []string
}

// quotation draws one from a part of the archive.
func (a *archive) quotation(rng *rand.Rand, p part, words int, altered float64) (quotation, error) {
	for range 1000 {
		q := quotation{cable: p.from + rng.IntN(p.to-p.from)}
		if q.words = a.quote(rng, q.cable, words, altered); q.words != nil {
			return q, nil
		}
	}
	return quotation{}, errors.New("measure: no cable has so many words in a row with two sites")
}

// lookups are what came of quotations that were looked up.
type lookups struct {
	first, among share
	grams, took  mean
	times        []float64 // microseconds, sorted
}

// lookUp looks up one quotation after the other. Each is new to the caches.
func (x *indexed) lookUp(all []quotation) lookups {
	runtime.GC() // not while the clock runs
	var l lookups
	for _, q := range all {
		start := time.Now()
		hits := x.index.Lookup(q.words, candidates)
		took := time.Since(start).Seconds() * 1e6
		l.took.add(took)
		l.times = append(l.times, took)
		at := slices.IndexFunc(hits, func(h trace.Hit) bool { return h.Cable == q.cable })
		l.first.add(at == 0)
		l.among.add(at >= 0)
		if at < 0 {
			l.grams.add(0)
		} else {
			l.grams.add(float64(hits[at].Grams))
		}
	}
	slices.Sort(l.times)
	return l
}

// at returns the time that a share of the look-ups stayed within.
func (l lookups) at(share float64) float64 { return l.times[int(share*float64(len(l.times)-1))] }

// tell adds the check of the size, and notes on what the index took.
func (x *indexed) tell(t *Table) {
	const mega = 1e6
	ratio := float64(x.index.Size()) / float64(x.record)
	t.note("Record texts: %.4g MB (drafts, with their alternatives: %.4g MB). Index: %.4g MB, %.3g of the record texts.",
		float64(x.record)/mega, float64(x.drafts)/mega, float64(x.index.Size())/mega, ratio)
	if x.index.Kept() < 1 {
		t.note("The index keeps %.3g of the grams: four words in a row, in any wording. Of an archive of up to 2^22 grams, some 3,700 cables, it keeps them all.", x.index.Kept())
		t.atMost("index, as a share of the record texts", ratio, sizeGoal)
	} else {
		t.note("The index keeps every gram: four words in a row, in any wording. Of an archive of more than 2^22 grams, some 3,700 cables, it keeps about a third, " +
			"and is about a third as large beside its text; so its size is not judged here.")
	}
	slices.Sort(x.parse)
	t.note("Making the index on one core: %.3g s to add all cables (%.3g ms each), %.3g s to build. Before that, parsing a draft and making its lattice: %.3g ms (median).",
		x.add.Seconds(), x.add.Seconds()*1e3/float64(x.size), x.build.Seconds(), x.parse[x.size/2])
	reads, slowest := readTime(x.index.Size()), slices.Max(x.lookups)
	t.note("Look-up of %d words: %.3g us (median; the goal is %d us on one idle core). Reading %d random places of as much memory as the index has took %.3g us in this run: the look-up takes %.3g times as long.",
		quotedWords, slowest, lookupGoal, placesRead, reads, slowest/reads)
	if len(x.real) == 0 {
		t.note("No real cables were given (environment variable CHANCERY_CABLES): all text is made up. Real cables share boilerplate; these do not.")
	}
}

// readTime returns the median time to read placesRead random places of so many
// bytes of memory, in microseconds.
func readTime(bytes int) float64 {
	memory := make([]uint32, bytes/4+1)
	for i := range memory {
		memory[i] = uint32(i)
	}
	rng := random("places", 0)
	var places [placesRead]int
	var times []float64
	for range 5000 {
		for i := range places {
			places[i] = rng.IntN(len(memory))
		}
		start, sum := time.Now(), uint32(0)
		for _, p := range places {
			sum += memory[p]
		}
		runtime.KeepAlive(sum)
		times = append(times, time.Since(start).Seconds()*1e6)
	}
	slices.Sort(times)
	return times[len(times)/2]
}
