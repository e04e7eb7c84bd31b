package pass

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"chancery/internal/fault"
	"chancery/internal/sign"
)

const origin = "registry.test/log"

var noon = time.Date(2030, 5, 11, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// known finds the keys given, and says of others what a directory would.
func known(revoked *sign.Key, keys ...*sign.Key) func(sign.ID) (*sign.Public, error) {
	return func(id sign.ID) (*sign.Public, error) {
		if revoked != nil && id == revoked.Public().ID() {
			return nil, fault.Permission.New("that device was revoked")
		}
		for _, k := range keys {
			if k.Public().ID() == id {
				return k.Public(), nil
			}
		}
		return nil, fault.NotFound.New("nobody's key")
	}
}

// meet connects two ends over a real line. It returns what each end says of it, and
// whom the server took the client for.
func meet(t *testing.T, server, client *tls.Config) (who sign.ID, atServer, atClient error) {
	t.Helper()
	l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	defer l.Close()
	done := make(chan error, 1)
	go func() {
		raw, err := l.Accept()
		if err != nil {
			done <- err
			return
		}
		defer raw.Close()
		c := tls.Server(raw, server)
		if err = c.Handshake(); err == nil {
			state := c.ConnectionState()
			who, _ = Signer(&state)
			_, err = c.Write([]byte("x"))
		}
		done <- err
	}()
	c, atClient := tls.Dial("tcp", l.Addr().String(), client)
	if atClient == nil {
		// In TLS 1.3 a client learns what the server thinks of it by reading.
		_, atClient = c.Read(make([]byte, 1))
		c.Close()
	}
	atServer = <-done
	return who, atServer, atClient
}

// shows makes the configuration of a client that shows a certificate and takes any
// server.
func shows(certs ...tls.Certificate) *tls.Config {
	c := base()
	c.ServerName, c.InsecureSkipVerify = serverName, true
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		if len(certs) == 0 {
			return &tls.Certificate{}, nil
		}
		out := certs[0]
		for _, more := range certs[1:] {
			out.Certificate = append(out.Certificate, more.Certificate...)
		}
		return &out, nil
	}
	return c
}

// carrying makes a certificate with a statement for a pass, whatever that says.
func carrying(t testing.TB, statement func(keyDigest string) []byte) tls.Certificate {
	t.Helper()
	public, private := must2(ed25519.GenerateKey(nil))(t)
	sum := sha256.Sum256(must(x509.MarshalPKIXPublicKey(public))(t))
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{serverName}, NotBefore: noon, NotAfter: noon.Add(lifetime)}
	if s := statement(hex.EncodeToString(sum[:])); s != nil {
		template.ExtraExtensions = []pkix.Extension{{Id: extension, Value: s}}
	}
	der := must(x509.CreateCertificate(rand.Reader, template, template, public, private))(t)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private, Leaf: must(x509.ParseCertificate(der))(t)}
}

func must2[A, B any](a A, b B, err error) func(testing.TB) (A, B) {
	return func(t testing.TB) (A, B) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return a, b
	}
}

// says makes the statement of a pass.
func says(t testing.TB, k string, change func(*body), keys ...*sign.Key) func(string) []byte {
	return func(digest string) []byte {
		b := body{digest, origin, roleClient, noon.Add(lifetime)}
		if change != nil {
			change(&b)
		}
		return must(sign.Sign(k, b, keys...))(t)
	}
}

func TestServerTakesOnlyPassesOfKnownKeys(t *testing.T) {
	operator, ada, bo, gone, stranger := sign.Generate(), sign.Generate(), sign.Generate(), sign.Generate(), sign.Generate()
	server := must(Server(operator, origin, known(gone, operator, ada, bo), clock))(t)
	cert := func(statement func(string) []byte) *tls.Config { return shows(carrying(t, statement)) }
	issued := func(key *sign.Key, origin, role string, at time.Time) *tls.Config {
		return shows(must(issue(key, origin, role, at))(t))
	}
	stolen := must(issue(ada, origin, roleClient, noon))(t)
	stolen.PrivateKey = must(issue(bo, origin, roleClient, noon))(t).PrivateKey
	for _, c := range []struct {
		name   string
		client *tls.Config
		who    *sign.Key
		want   error // nil: let in
		why    string
	}{
		{"a pass", must(Client(ada, origin, operator.Public(), clock))(t), ada, nil, ""},
		{"nobody", must(Client(nil, origin, operator.Public(), clock))(t), nil, nil, ""},
		{"an empty list of certificates", shows(), nil, nil, ""},
		{"a certificate without a pass", cert(func(string) []byte { return nil }), nil, fault.Permission, "no pass"},
		{"a pass that is no statement", cert(func(string) []byte { return []byte("x") }), nil, fault.Input, "not a signed statement"},
		{"a key that nobody knows", issued(stranger, origin, roleClient, noon), nil, fault.NotFound, "nobody's"},
		{"a revoked device", issued(gone, origin, roleClient, noon), nil, fault.Permission, "revoked"},
		{"a pass for another registry", issued(ada, "other.test/log", roleClient, noon), nil, fault.Permission, "other.test/log"},
		{"a registry's pass shown by a client", issued(operator, origin, roleServer, noon), nil, fault.Permission, "another key"},
		{"a pass that ran out", issued(ada, origin, roleClient, noon.Add(-lifetime-time.Minute)), nil, fault.Permission, "run out"},
		{"somebody else's certificate, without its key", shows(stolen), nil, nil, "invalid signature"},
		{"a pass for another TLS key", cert(says(t, kind, func(b *body) { b.Key = strings.Repeat("0", 64) }, ada)), nil, fault.Permission, "another key"},
		{"a statement of another kind", cert(says(t, "receipt", nil, ada)), nil, fault.Input, "receipt"},
		{"a pass of two signers", cert(says(t, kind, nil, ada, bo)), nil, fault.Permission, "2 signers"},
		{"two certificates", shows(must(issue(ada, origin, roleClient, noon))(t), must(issue(bo, origin, roleClient, noon))(t)), nil, fault.Permission, "no pass"},
		{"a pass whose signer was exchanged", cert(func(d string) []byte {
			s := string(says(t, kind, nil, stranger)(d))
			return []byte(strings.ReplaceAll(s, stranger.Public().ID().String(), ada.Public().ID().String()))
		}), nil, fault.Mismatch, "verify"},
	} {
		who, err, atClient := meet(t, server, c.client)
		switch {
		case c.want == nil && c.why == "":
			if err != nil || atClient != nil {
				t.Errorf("%s: %v, %v", c.name, err, atClient)
			}
			if c.who == nil && who != (sign.ID{}) || c.who != nil && who != c.who.Public().ID() {
				t.Errorf("%s: taken for %s", c.name, who)
			}
		case err == nil || atClient == nil:
			t.Errorf("%s: let in", c.name)
		case c.want != nil && !errors.Is(err, c.want), !strings.Contains(err.Error(), c.why):
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestClientTakesOnlyItsRegistry(t *testing.T) {
	operator, ada := sign.Generate(), sign.Generate()
	client := must(Client(ada, origin, operator.Public(), clock))(t)
	serve := func(certs ...tls.Certificate) *tls.Config {
		c := base()
		all := certs[0]
		for _, more := range certs[1:] {
			all.Certificate = append(all.Certificate, more.Certificate...)
		}
		c.Certificates, c.ClientAuth = []tls.Certificate{all}, tls.RequestClientCert
		return c
	}
	issued := func(key *sign.Key, origin, role string, at time.Time) tls.Certificate {
		return must(issue(key, origin, role, at))(t)
	}
	for _, c := range []struct {
		name   string
		server *tls.Config
		why    string
	}{
		{"its registry", serve(issued(operator, origin, roleServer, noon)), ""},
		{"another registry", serve(issued(sign.Generate(), origin, roleServer, noon)), "not that of the registry's operator"},
		{"a device that plays the registry", serve(issued(ada, origin, roleServer, noon)), "not that of the registry's operator"},
		{"the operator's own pass as a client", serve(issued(operator, origin, roleClient, noon)), "another key"},
		{"the operator's other registry", serve(issued(operator, "other.test/log", roleServer, noon)), "other.test/log"},
		{"a pass that ran out", serve(issued(operator, origin, roleServer, noon.Add(-lifetime-time.Minute))), "run out"},
		{"no pass", serve(carrying(t, func(string) []byte { return nil })), "no pass"},
		{"a chain", serve(issued(operator, origin, roleServer, noon), issued(operator, origin, roleServer, noon)), "no pass"},
	} {
		_, _, err := meet(t, c.server, client)
		if c.why == "" && err != nil || c.why != "" && (err == nil || !strings.Contains(err.Error(), c.why)) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestOldConnectionsAreRefused holds both ends to TLS 1.3 and a key exchange that a
// quantum computer does not open.
func TestOldConnectionsAreRefused(t *testing.T) {
	operator, ada := sign.Generate(), sign.Generate()
	for _, c := range []struct {
		name   string
		change func(*tls.Config)
		refuse bool
	}{
		{"as it is", func(*tls.Config) {}, false},
		{"TLS 1.2", func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS12, tls.VersionTLS12 }, true},
		{"X25519 alone", func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{tls.X25519} }, true},
	} {
		for _, atServer := range []bool{true, false} {
			server := must(Server(operator, origin, known(nil, ada), clock))(t)
			client := must(Client(ada, origin, operator.Public(), clock))(t)
			if atServer {
				c.change(server)
			} else {
				c.change(client)
			}
			_, one, two := meet(t, server, client)
			if c.refuse != (one != nil) || c.refuse != (two != nil) {
				t.Errorf("%s: %v, %v", c.name, one, two)
			}
		}
	}
}

// TestStrangersToo: nobody's connection is of TLS 1.3 as well.
func TestStrangersToo(t *testing.T) {
	operator := sign.Generate()
	server := must(Server(operator, origin, known(nil), clock))(t)
	for version, ok := range map[uint16]bool{tls.VersionTLS12: false, tls.VersionTLS13: true} {
		client := shows()
		client.MinVersion, client.MaxVersion, client.CurvePreferences = version, version, []tls.CurveID{tls.X25519, tls.X25519MLKEM768}
		if _, err, _ := meet(t, server, client); (err == nil) != ok {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
	}
}

// TestResumedConnectionsAreLookedAtAgain: a ticket of an old connection is no pass.
func TestResumedConnectionsAreLookedAtAgain(t *testing.T) {
	operator, ada := sign.Generate(), sign.Generate()
	revoked := false
	server := must(Server(operator, origin, func(id sign.ID) (*sign.Public, error) {
		if revoked {
			return nil, fault.Permission.New("that device was revoked")
		}
		return known(nil, ada)(id)
	}, clock))(t)
	client := must(Client(ada, origin, operator.Public(), clock))(t)
	for range 2 { // the first connection leaves a ticket
		if _, one, two := meet(t, server, client); one != nil || two != nil {
			t.Fatal(one, two)
		}
	}
	revoked = true
	if _, err, _ := meet(t, server, client); !errors.Is(err, fault.Permission) {
		t.Errorf("after the revocation: %v", err)
	}
}

func TestCertificatesAreRenewed(t *testing.T) {
	now, made := noon, 0
	r := &renewed{now: func() time.Time { return now }, issue: func() (tls.Certificate, error) {
		made++
		return tls.Certificate{}, nil
	}}
	for _, step := range []struct {
		by   time.Duration
		want int
	}{{0, 1}, {time.Hour, 1}, {lifetime / 2, 2}, {lifetime, 3}, {-2 * lifetime, 4}} {
		now = now.Add(step.by)
		if _, err := r.get(); err != nil || made != step.want {
			t.Errorf("after %s: made %d, want %d (%v)", step.by, made, step.want, err)
		}
	}
}

// FuzzPass shows statements of every kind: none that the key did not sign for this
// connection is taken.
func FuzzPass(f *testing.F) {
	ada := sign.Generate()
	cert := must(issue(ada, origin, roleClient, noon))(f)
	good := must(statementOf(cert.Leaf))(f)
	for _, s := range []string{string(good), "", "x", strings.Replace(string(good), roleClient, roleServer, 1), strings.Replace(string(good), "2030", "2031", 1),
		string(must(sign.Sign("receipt", 1, ada))(f)), string(good) + string(good), strings.TrimSuffix(string(good), "\n")} {
		f.Add([]byte(s))
	}
	leaf := *cert.Leaf
	f.Fuzz(func(t *testing.T, statement []byte) {
		leaf.Extensions = []pkix.Extension{{Id: extension, Value: statement}}
		state := &tls.ConnectionState{PeerCertificates: []*x509.Certificate{&leaf}}
		err := check(state, origin, roleClient, ada.Public(), noon)
		if (err == nil) != (string(statement) == string(good)) {
			t.Fatalf("%v for %q", err, statement)
		}
		if id, wrong := Signer(state); err == nil && (wrong != nil || id != ada.Public().ID()) {
			t.Fatalf("%s, %v", id, wrong)
		}
		if err != nil && fault.KindOf(err) == fault.Internal {
			t.Fatal(err)
		}
	})
}
