package measure
import ("testing";"context";"time";"chancery/trace")
func TestZZ(t *testing.T) {
 for _, n := range []int{12, 50,100,200} { for _, m := range []int{22,66} {
  rng := random("zz", n)
  sizes := sizesOf(m,4)
  w := codewords(rng,n,sizes)
  obs := clean(sizes,w[0])
  s := time.Now()
  f,_ := trace.DefaultRule().Assess(context.Background(), trace.Evidence{Eps:1e-3,Readers:readersOf(w),First:obs})
  t.Log(n,m,time.Since(s), len(f.Named))
 }}
}
