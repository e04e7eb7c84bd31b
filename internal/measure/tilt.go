package measure

import (
	"math"
	"math/rand/v2"
)

// A tilted is the law of codewords whose symbols have odds exp(theta score)
// in place of equal ones (Siegmund, Annals of Statistics 4, 1976).
type tilted struct {
	scores [][]int32
	theta  float64
	logs   float64     // ln of the mean of exp(theta sum) under equal odds
	odds   [][]float64 // cumulative, by group
}

// tiltTo finds theta at which the mean score is s, by bisection.
func tiltTo(scores [][]int32, s int) tilted {
	low, high := 0.0, 1.0
	for range 60 {
		mid := (low + high) / 2
		if meanScore(scores, mid) < float64(s) {
			low = mid
		} else {
			high = mid
		}
	}
	t := tilted{scores: scores, theta: low}
	for _, group := range scores {
		sum := 0.0
		odds := make([]float64, len(group))
		for x, v := range group {
			sum += math.Exp(low * float64(v))
			odds[x] = sum
		}
		for x := range odds {
			odds[x] /= sum
		}
		t.odds = append(t.odds, odds)
		t.logs += math.Log(sum / float64(len(group)))
	}
	return t
}

func meanScore(scores [][]int32, theta float64) float64 {
	total := 0.0
	for _, group := range scores {
		sum, weighted := 0.0, 0.0
		for _, v := range group {
			e := math.Exp(theta * float64(v))
			sum += e
			weighted += e * float64(v)
		}
		total += weighted / sum
	}
	return total
}

// sample estimates the chance, under equal odds, of a score of at least s.
func (t tilted) sample(rng *rand.Rand, s, n int) mean {
	var m mean
	for range n {
		sum := 0
		for k, odds := range t.odds {
			u, x := rng.Float64(), 0
			for x < len(odds)-1 && u >= odds[x] {
				x++
			}
			sum += int(t.scores[k][x])
		}
		if sum < s {
			m.add(0)
		} else {
			m.add(math.Exp(t.logs - t.theta*float64(sum)))
		}
	}
	return m
}
