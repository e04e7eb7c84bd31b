package wording

import (
	"slices"
	"testing"
)

// TestMoves runs each move over sentences it must and must not touch: wanted is
// what is written for the words before the arrow, or empty.
func TestMoves(t *testing.T) {
	tests := []struct{ id, text, from, to string }{
		{"move.that-drop", "He said that he would come.", "said that", "said"},
		{"move.that-drop", "He said that he would come and that he would stay.", "", ""},
		{"move.that-drop", "He stated that he would come.", "", ""},
		{"move.that-insert", "He said he would come.", "said", "said that"},
		{"move.that-told", "He told me he would come.", "me", "me that"},
		{"move.which-subject", "They took the steps which were needed.", "which", "that"},
		{"move.which-subject", "They took the steps that were needed.", "that", "which"},
		{"move.which-subject", "They took steps, which were needed.", "", ""},
		{"move.which-subject", "He had the impression that was left by them.", "", ""},
		{"move.which-subject", "They want this step which is needed.", "", ""},
		{"move.which-subject", "They want peace which is just and steps which are firm.", "", ""},
		{"move.which-object", "These are the points which he raised.", "which", "that"},
		{"move.relative-reduce", "They discussed measures which had been taken by the Council.", "which had been taken", "taken"},
		{"move.adverb-before-auxiliary", "He has already been told.", "has already", "already has"},
		{"move.adverb-before-auxiliary", "He knows more than they then could know.", "", ""},
		{"move.adverb-before-auxiliary", "He would never have told us.", "would never", "never would"},
		{"move.adverb-before-auxiliary", "Has already anybody been told?", "", ""},
		{"move.adverb-after-participle", "It will be carefully studied.", "carefully studied", "studied carefully"},
		{"move.adverb-front", "However, he would not agree to such a plan.", "However, he would", "He would, however,"},
		{"move.adverb-to-front", "The new minister, however, would not agree to it.", "The new minister, however,", "However, the new minister"},
		{"move.adverb-to-front", "Tarvonen, however, would not agree to it.", "Tarvonen, however,", "However, Tarvonen"},
		{"move.adverb-to-front", "The plan of the minister, however, is not for us to agree to.", "", ""},
		{"move.such", "He took such a step.", "such a step", "a step of this kind"},
		{"move.such", "He took such a step that they left.", "", ""},
		{"move.such-plural", "They object to such steps.", "such steps", "steps of this kind"},
		{"move.genitive-s", "Does Tarvonen's statement on his arrival contradict the note?", "Tarvonen's statement", "the statement of Tarvonen"},
		{"move.genitive-s", "He explained the new government's position on Berlin.", "the new government's position", "the position of the new government"},
		{"move.genitive-s", "We think that Hanoi's views might change.", "Hanoi's views", "the views of Hanoi"},
		{"move.genitive-s", "Prime Minister Grant's visit to Paris was useful.", "Prime Minister Grant's visit", "the visit of Prime Minister Grant"},
		{"move.genitive-s", "Egypt and Jordan's position was clear.", "", ""},
		{"move.genitive-s", "They saw Secretary's reply to the note.", "", ""},
		{"move.genitive-s", "It concerns Jordan's security and economy.", "", ""},
		{"move.genitive-s", "This was the King of Jordan's position.", "", ""},
		{"move.genitive-s", "He studied yesterday's statement.", "", ""},
		{"move.genitive-s", "That's support enough.", "", ""},
		{"move.genitive-of", "He explained the position of the government.", "the position of the government", "the government's position"},
		{"move.continue", "They will continue to support us.", "continue to support", "continue supporting"},
		{"move.continue", "They will continue to believe us.", "", ""},
		{"move.continue", "They will continue to plan and to pay.", "", ""},
		{"move.help", "This would help progress on the bridge.", "", ""},
		{"move.order-to", "They made efforts in order to agree.", "in order to", "so as to"},
		{"move.order-to", "They asked him in order to agree.", "in order to", "so as to"},
		{"move.all-of", "He praised all the Council has done.", "", ""},
		{"move.all-of", "There was all the less hope.", "", ""},
		{"move.not-adverb", "We cannot go on at this time.", "at this time", "at present"},
		{"move.not-adverb", "This holds even at this time.", "", ""},
		{"move.such-plural", "They object to such steps which were taken.", "", ""},
		{"move.such", "He had such an appetite.", "", ""},
		{"move.pair-adverbs", "He spoke clearly and firmly.", "clearly and firmly", "firmly and clearly"},
		{"move.pair-adverbs", "He received me warmly and clearly stated his view.", "", ""},
		{"move.genitive-s", "We read Tarvonen's criticism with care.", "", ""},
		{"move.genitive-of", "He explained the position of Tarvonen, whose letter we have.", "", ""},
		{"move.that-insert", "Needless to say I told him so.", "", ""},
		{"move.that-insert", "We believe it wise to go.", "", ""},
		{"move.adverb-after-participle", "It was used carefully, quickly and well.", "", ""},
		{"move.adverb-after-participle", "It is publicly believed.", "", ""},
		{"move.which-subject", "Our aim is the problem which is how to pay.", "", ""},
		{"move.which-subject", "He told the presidents that delay would be worse.", "", ""},
		{"move.which-subject", "We saw the break-up of the conference which does not distress him.", "", ""},
		{"move.which-subject", "They keep their rights which cannot be impaired.", "", ""},
		{"move.continue", "They will continue to plan and pay.", "", ""},
		{"move.help", "They will help solve it.", "help", "help to"},
		{"move.help", "They will help to solve it.", "help to", "help"},
		{"move.order-to", "They met in order to agree.", "in order to", "to"},
		{"move.all-of", "He saw all of the papers.", "all of", "all"},
		{"move.all-of", "He gave all the help they could use.", "", ""},
		{"move.pair-adjectives", "We gave economic and military assistance.", "economic and military", "military and economic"},
		{"move.pair-adjectives", "It was hard and fast work.", "", ""},
		{"move.pair-adjectives", "We need coordination with military and unified command of operations.", "", ""},
		{"move.pair-nouns", "They asked for weapons and supplies.", "weapons and supplies", "supplies and weapons"},
		{"move.pair-nouns", "They asked for new weapons and supplies.", "", ""},
		{"house.number-word", "It took five days.", "five", "5"},
		{"house.number-word", "It took 5 days.", "5", "five"},
		{"house.number-word", "It took one day.", "", ""},
		{"house.date-order", "They met on May 5 in Bonn.", "May 5", "5 May"},
		{"house.date-order", "They met on 5 May in Bonn.", "5 May", "May 5"},
		{"house.date-order", "They may 5 be.", "", ""},
	}
	for _, tt := range tests {
		p := onePage(t, tt.text)
		var got []string
		for n := range p.sentences {
			for _, c := range moves(p, n) {
				if c.alts[0].id == tt.id {
					got = append(got, p.Text[c.from:c.to], c.alts[0].text)
				}
			}
		}
		want := []string{tt.from, tt.to}
		if tt.from == "" {
			want = nil
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q gives %q, not %q", tt.id, tt.text, got, want)
		}
	}
}

// TestSchedule keeps the places that tell most together.
func TestSchedule(t *testing.T) {
	alts := func(n int) []alternative {
		out := make([]alternative, n)
		for i := range out {
			out[i] = alternative{text: string(rune('a' + i)), class: "word.x", accept: 0.9}
		}
		return out
	}
	got := schedule([]candidate{
		{from: 0, to: 10, alts: alts(2)}, // one place of log2(2.8) bits ...
		{from: 0, to: 4, alts: alts(1)},  // ... against two of log2(1.9) each
		{from: 5, to: 10, alts: alts(1)},
		{from: 12, to: 20, alts: alts(1)}, // touches the next
		{from: 20, to: 24, alts: alts(3)},
	})
	var spans [][2]int
	for _, c := range got {
		spans = append(spans, [2]int{c.from, c.to})
	}
	if want := [][2]int{{0, 4}, {5, 10}, {20, 24}}; !slices.Equal(spans, want) {
		t.Errorf("%v, not %v", spans, want)
	}
}

func TestHouseStyleGivesWay(t *testing.T) {
	c := candidate{alts: []alternative{{class: "house.spelling", accept: 1}}}
	d := candidate{alts: []alternative{{class: "word.verb", accept: 0.6}}}
	if c.worth() >= d.worth() {
		t.Error("house style is worth more than a word")
	}
}
