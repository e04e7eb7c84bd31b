// Package pass ties a connection to a key of the directory. Each end makes a TLS
// key of its own for as long as the process runs, in a certificate that it signs
// itself; a pass inside, a statement signed by a device's or party's long-term key,
// vouches for it. So a connection is authenticated with both signature algorithms,
// nothing is trusted that a certificate authority could issue, and the long-term
// key never touches the network.
//
// It knows keys, not who holds them, and not what they may ask.
package pass

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"math/big"
	"sync"
	"time"

	"chancery/internal/fault"
	"chancery/internal/sign"
)

// kind is that of the statement in a certificate.
const kind = "pass"

// lifetime is how long a pass is good: clocks may be wrong by days.
const lifetime = 30 * 24 * time.Hour

// extension marks a pass in a certificate: an identifier made from a UUID (ITU-T
// X.667), so it is nobody else's.
var extension = asn1.ObjectIdentifier{2, 25, 1836593241, 41722, 18233, 39915, 12091771}

// body is what a pass says: the TLS key with this digest speaks for the signer at
// one registry, until a time, and at one end of the connection only.
type body struct {
	Key    string    `json:"key"` // SHA-256 of the SubjectPublicKeyInfo, hexadecimal
	Origin string    `json:"origin"`
	Role   string    `json:"role"`
	Until  time.Time `json:"until"`
}

const (
	roleServer = "server"
	roleClient = "client"
)

// issue makes a TLS key and its certificate.
func issue(key *sign.Key, origin, role string, now time.Time) (tls.Certificate, error) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return tls.Certificate{}, fault.Internal.Wrap(err, "make a key for connections")
	}
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return tls.Certificate{}, fault.Internal.Wrap(err, "make a key for connections")
	}
	sum := sha256.Sum256(spki)
	statement, err := sign.Sign(kind, body{hex.EncodeToString(sum[:]), origin, role, now.UTC().Truncate(time.Second).Add(lifetime)}, key)
	if err != nil {
		return tls.Certificate{}, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return tls.Certificate{}, fault.Internal.Wrap(err, "make a certificate")
	}
	template := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: "chancery"}, DNSNames: []string{serverName},
		NotBefore: now.Add(-lifetime), NotAfter: now.Add(lifetime), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtraExtensions: []pkix.Extension{{Id: extension, Value: statement}}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		return tls.Certificate{}, fault.Internal.Wrap(err, "make a certificate")
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, fault.Internal.Wrap(err, "make a certificate")
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private, Leaf: leaf}, nil
}

// serverName is what clients ask for: the key says who answers, not a name.
const serverName = "chancery.invalid"

// Signer returns the key that claims to vouch for a connection. In a connection of
// [Server] or [Client] it was verified.
func Signer(state *tls.ConnectionState) (sign.ID, error) {
	if state == nil || len(state.PeerCertificates) != 1 {
		return sign.ID{}, fault.Permission.New("the connection carries no pass")
	}
	statement, err := statementOf(state.PeerCertificates[0])
	if err != nil {
		return sign.ID{}, err
	}
	_, signers, err := sign.Claims(statement)
	if err != nil {
		return sign.ID{}, err
	}
	if len(signers) != 1 {
		return sign.ID{}, fault.Permission.New("a pass with %d signers", len(signers))
	}
	return signers[0], nil
}

func statementOf(c *x509.Certificate) ([]byte, error) {
	for _, e := range c.Extensions {
		if e.Id.Equal(extension) {
			return e.Value, nil
		}
	}
	return nil, fault.Permission.New("the certificate carries no pass")
}

// ErrOtherLog says that the other end's pass is rightly signed, for another log than ours.
var ErrOtherLog = errors.New("that is another log")

// check verifies the pass of the other end.
func check(state *tls.ConnectionState, origin, role string, by *sign.Public, now time.Time) error {
	leaf := state.PeerCertificates[0]
	statement, err := statementOf(leaf)
	if err != nil {
		return err
	}
	var b body
	if err := sign.Open(statement, kind, &b, by); err != nil {
		return err
	}
	sum := sha256.Sum256(leaf.RawSubjectPublicKeyInfo)
	switch {
	case b.Key != hex.EncodeToString(sum[:]) || b.Role != role:
		return fault.Permission.New("the pass is for another key")
	case b.Origin != origin:
		return fault.Permission.Wrap(ErrOtherLog, "the pass is for the registry %.60q, this is %q", b.Origin, origin)
	case now.After(b.Until):
		return fault.Permission.New("the pass has run out").WithHint("is a clock wrong by weeks? start the desk again")
	}
	return nil
}

// base is what both ends agree on: TLS 1.3 with a key exchange that a quantum
// computer does not open.
func base() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS13, CurvePreferences: []tls.CurveID{tls.X25519MLKEM768}}
}

// Server returns the configuration of a registry's end. find returns the public key
// with an id, or refuses it: an unknown or revoked key ends the handshake. Who shows
// no certificate is let in as nobody, to hand in an enrolment.
func Server(key *sign.Key, origin string, find func(sign.ID) (*sign.Public, error), now func() time.Time) (*tls.Config, error) {
	c := base()
	own := &renewed{issue: func() (tls.Certificate, error) { return issue(key, origin, roleServer, now()) }, now: now}
	if _, err := own.get(); err != nil {
		return nil, err
	}
	c.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return own.get() }
	c.ClientAuth = tls.RequestClientCert
	// Desks take the first alone; the second is for tools that look at health and
	// metrics and know no other.
	c.CurvePreferences = append(c.CurvePreferences, tls.X25519)
	c.NextProtos = []string{"h2", "http/1.1"}
	c.VerifyConnection = func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) == 0 {
			return nil
		}
		if state.CurveID != base().CurvePreferences[0] {
			return fault.Permission.New("a pass shown over a key exchange that a quantum computer opens")
		}
		id, err := Signer(&state)
		if err != nil {
			return err
		}
		public, err := find(id)
		if err != nil {
			return err
		}
		return check(&state, origin, roleClient, public, now())
	}
	return c, nil
}

// Client returns the configuration of a desk's end: it speaks for key, or for
// nobody if that is nil, and only to the registry whose operator's key is given.
func Client(key *sign.Key, origin string, operator *sign.Public, now func() time.Time) (*tls.Config, error) {
	c := base()
	c.ServerName = serverName
	c.InsecureSkipVerify = true // replaced by what VerifyConnection does
	c.ClientSessionCache = tls.NewLRUClientSessionCache(4)
	c.VerifyConnection = func(state tls.ConnectionState) error {
		id, err := Signer(&state)
		if err != nil {
			return err
		}
		if id != operator.ID() {
			return fault.Permission.New("the server shows the key %.16s, not that of the registry's operator, %.16s", id, operator.ID()).
				WithHint("this is not the registry that the invitation named; do not go on")
		}
		return check(&state, origin, roleServer, operator, now())
	}
	if key == nil {
		return c, nil
	}
	own := &renewed{issue: func() (tls.Certificate, error) { return issue(key, origin, roleClient, now()) }, now: now}
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return own.get() }
	_, err := own.get()
	return c, err
}

// renewed is a certificate that is made anew before it runs out.
type renewed struct {
	issue func() (tls.Certificate, error)
	now   func() time.Time

	mu   sync.Mutex
	cert *tls.Certificate // guarded by mu
	made time.Time        // guarded by mu
}

func (r *renewed) get() (*tls.Certificate, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	age := r.now().Sub(r.made)
	if r.cert != nil && age > -lifetime/2 && age < lifetime/2 {
		return r.cert, nil
	}
	cert, err := r.issue()
	if err != nil {
		return nil, err
	}
	r.cert, r.made = &cert, r.now()
	return r.cert, nil
}
