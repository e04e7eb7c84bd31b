package trace
import ("testing";"math/rand/v2";"time")
func TestZZ(t *testing.T){
 b:=NewIndexBuilder(); b.kept=256; rng:=rand.New(rand.NewPCG(1,1))
 for k:=0;k<100000;k++{ for range 420 { b.add(rng.Uint64()) }; b.cables++ }
 s:=time.Now(); x:=&Index{cables: b.cables, kept: b.kept, number: 17, bucket: 22, rest: 15}
 x.place(b); t.Log("place",time.Since(s)); s=time.Now(); x.settle(); t.Log("settle",time.Since(s),len(x.postings))
 a:=newArchive(300,nil); var ls []string; for k:=range 300 {ls=append(ls,draftText(a.spots(k)))}
 bb:=NewIndexBuilder(); bb.kept=88
 var add time.Duration
 for _,l:=range ls { z:=lattice(t,l); s=time.Now(); bb.Add(z); add+=time.Since(s)}
 t.Log("add",add/300)
}
