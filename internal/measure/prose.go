package measure

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"chancery/cable"
)

// madeUp returns a draft of about 600 words put together at random from
// sentences with alternatives, every name invented.
func madeUp(rng *rand.Rand) (*cable.Draft, error) {
	order := rng.Perm(len(sentences))
	var b strings.Builder
	b.WriteString("Subject: made up for measuring\n")
	for i, k := range order {
		if i%6 == 0 {
			b.WriteString("\n")
			if i > 0 {
				b.WriteString("\n")
			}
		} else {
			b.WriteString(" ")
		}
		b.WriteString(filled(rng, sentences[k]))
	}
	b.WriteString("\n")
	d, err := cable.Parse([]byte(b.String()))
	if err != nil {
		return nil, fmt.Errorf("measure: made-up draft: %w", err)
	}
	return d, nil
}

// filled puts a name in every gap of a sentence.
func filled(rng *rand.Rand, s string) string {
	for _, g := range gaps {
		for strings.Contains(s, g.gap) {
			s = strings.Replace(s, g.gap, g.names[rng.IntN(len(g.names))], 1)
		}
	}
	return s
}

var gaps = []struct {
	gap   string
	names []string
}{
	{"@place", []string{"Ostra", "the northern province", "Kelm", "the port of Sarn", "the capital", "Dovrin", "the lake district", "Upper Velt"}},
	{"@person", []string{"Minister Harlan", "General Brode", "Mrs Tivadar", "the deputy premier", "Mr Lassen", "the governor", "Colonel Orsk", "the chief of staff"}},
	{"@body", []string{"the Finance Ministry", "the General Staff", "the central bank", "the opposition", "the Interior Ministry", "the trade delegation", "the ruling party", "the press office"}},
	{"@number", []string{"12", "14", "23", "31", "47", "58", "64", "85"}},
}

// sentences are what made-up drafts are made of: two to four alternatives a
// site, about one bit to five words.
var sentences = []string{
	"I called on @person this morning and found him {tired|weary|exhausted} but {willing|ready|prepared} to talk about the negotiations in @place.",
	"He {said|remarked|observed|stated} that the agreement of last spring was {dead|finished|beyond repair} and that nobody in @body expected it to be revived.",
	"Our own {view|judgement|assessment|opinion} is that the timetable will slip by at least @number days, {whatever is announced|whatever they announce|no matter what is announced}.",
	"The talks at @place {broke down|collapsed|ended without result} on Thursday over the question of transit fees and the status of the railway.",
	"@person is {clever|able|gifted} and {idle|lazy|indolent}, and leaves the paperwork to a private secretary who belongs to @body.",
	"There is {little|not much|scant} appetite in @body for another round of cuts before the harvest is in.",
	"The mood in @place is {sullen|sour|resentful}, and the shops have been {short of|without|running low on} flour since the roads were closed.",
	"@person told my deputy that the letter had been {drafted|written|composed} by others and that he had {barely|hardly|scarcely} read it before signing.",
	"We should {avoid|refrain from} any public comment until the committee has reported, and {urge|press|encourage} our partners to do the same.",
	"The budget that @body sent to parliament is a work of {fiction|fantasy|imagination}, and everybody who voted for it {knew|understood|realised} as much.",
	"In @place the police {stood aside|looked on|did nothing} while the offices of two newspapers were {searched|ransacked|turned over} by men without uniforms.",
	"I doubt that @person will {survive|outlast|weather} the winter in office, but he has been {written off|counted out|buried} before and has come back.",
	"The new tariff is {aimed at|meant for|directed at} importers of machinery and will cost our exporters some @number million a year.",
	"@body has {quietly|discreetly|without fuss} moved its reserves abroad, which tells us more than its {communiqués|statements|announcements} do.",
	"My colleague from the Lakes {takes|holds|is of} the {opposite|contrary|other} view and believes that the army will stay in its barracks.",
	"A meeting with @person was {cancelled|called off|put off} twice and at last took place in the back room of a restaurant near the station.",
	"He was {frank|candid|open} about the debt, {vague|evasive|imprecise} about the prisoners and silent about the pipeline.",
	"The harvest in @place was {poor|bad|disappointing|meagre}, and @number villages have asked for seed from the state reserve.",
	"It would be a {mistake|blunder|misjudgement} to read too much into the speech, which was {intended|meant|designed} for listeners at home.",
	"@person {dislikes|distrusts|mistrusts} the adviser who was sent to him from @body and keeps him out of the room {whenever he can|as often as possible|when he is able to}.",
	"The customs union will be signed in @place next month, {rain or shine|come what may|in any event}, because too many people have promised it.",
	"The banks {remain|are still|stay} open, but withdrawals above @number crowns need a form that is {hard|difficult|not easy} to obtain.",
	"I am {told|informed|assured} by two sources that the inquiry into the bridge at @place has been {stopped|halted|shut down|suspended}.",
	"@body {wants|would like|hopes for} a loan without conditions and will {settle for|accept|make do with} one that can be presented as such.",
	"The ambassador of the neighbouring republic {laughed|smiled|shrugged} when I asked about the frontier and changed the subject to horses.",
	"Nobody here {takes|regards|treats} the promise of elections {seriously|at face value} except those who would have to organise them.",
	"The students have {gone back|returned} to their lectures, but the {anger|bitterness|resentment} about the fees has not gone away.",
	"@person spoke for @number minutes without a note and {impressed|charmed|won over} an audience that had come to {jeer|heckle|protest}.",
	"We {recommend|suggest|propose} that the visit go ahead as planned, with a {shorter|reduced|lighter} programme and no dinner at the palace.",
	"The rumour that @person has {bought|acquired} a house by the sea in @place is {widely|generally|commonly} believed and probably true.",
	"A {senior|high|leading} official of @body admitted that the figures for exports had been {improved|adjusted|touched up} before publication.",
	"The strike on the railways is {over|at an end|settled}, at a price which the treasury will be paying for {years|a long time|a decade}.",
	"I see {no sign|no indication|no evidence} that @body has a plan for what follows if the court {rejects|strikes down|throws out} the decree.",
	"The opposition press in @place {prints|publishes|carries} little but recipes and chess problems now, and its readers {understand|see} why.",
	"@person {owes|is indebted for} his post to an uncle in @body and {repays|returns} the favour with contracts for cement.",
	"The {prospect|likelihood|chance} of a coalition is {slim|slight|remote}, since three of the four leaders have sworn never to sit together.",
}
