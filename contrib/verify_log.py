#!/usr/bin/env python3
"""A second verifier of Chancery's custody log, for those who do not want to
trust the first. It was written from the C2SP specifications (tlog-checkpoint,
tlog-tiles, tlog-proof, signed-note) and RFC 6962 and 8032, and uses nothing but
Python's standard library.

    verify_log.py log FOLDER VKEY            a log as tiles: FOLDER/checkpoint, FOLDER/tile/...
    verify_log.py proof FILE VKEY [LEAF]     a tlog-proof; LEAF is the commitment in hexadecimal,
                                             or else it is computed from the proof's extra data

VKEY is the log's Ed25519 key, "name+hash+key". Signatures with ML-DSA-44 are
not checked here. Exit code 0: it verifies. 1: it does not. 2: wrong usage.
"""

import base64
import hashlib
import os
import sys


class Bad(Exception):
    pass


def decode(text):
    """Base64 in its one spelling."""
    raw = base64.b64decode(text, validate=True)
    if base64.b64encode(raw).decode() != text:
        raise Bad("base64 in a second spelling")
    return raw


# Ed25519, RFC 8032, 5.1.7; verification only, so nothing here need be secret.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def recover_x(y, sign):
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - x2) % P or (x == 0 and sign):
        raise Bad("a point that is not on the curve")
    return P - x if x % 2 != sign else x


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def multiply(n, p):
    q = (0, 1, 1, 0)
    while n:
        if n & 1:
            q = add(q, p)
        p, n = add(p, p), n >> 1
    return q


def point(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        raise Bad("a point out of range")
    x = recover_x(y, sign)
    return (x, y, 1, x * y % P)


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = (recover_x(BASE_Y, 0), BASE_Y, 1, recover_x(BASE_Y, 0) * BASE_Y % P)


def ed25519_verifies(key, message, signature):
    if len(signature) != 64:
        return False
    s = int.from_bytes(signature[32:], "little")
    if s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    left, right = multiply(s, BASE), add(point(signature[:32]), multiply(k, point(key)))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


def parse_vkey(text):
    name, _, rest = text.partition("+")
    number, _, key = rest.partition("+")
    raw = decode(key)
    if len(raw) != 33 or raw[0] != 1:
        raise Bad("the key is not an Ed25519 key of a log")
    want = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
    if bytes.fromhex(number) != want:
        raise Bad("the key does not match its own hash")
    return name, want, raw[1:]


def open_checkpoint(note, vkey):
    """Returns size and root of a checkpoint signed by the key."""
    name, number, key = parse_vkey(vkey)
    text, found, signatures = note.rpartition(b"\n\n")
    if not found:
        raise Bad("the checkpoint is not signed")
    text += b"\n"
    verified = False
    for line in signatures.decode().splitlines():
        dash, who, encoded = line.split(" ")
        raw = decode(encoded)
        if dash == "\u2014" and who == name and raw[:4] == number:
            if not ed25519_verifies(key, text, raw[4:]):
                raise Bad("the log's signature does not verify")
            verified = True
    if not verified:
        raise Bad("the checkpoint is not signed with this key")
    origin, size, root, rest = text.decode().split("\n")
    if origin != name or rest or str(int(size)) != size:
        raise Bad("not a checkpoint of this log")
    return int(size), decode(root)


def leaf_hash(leaf):
    return hashlib.sha256(b"\0" + leaf).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def root_of(hashes):
    """RFC 6962, 2.1, from the hashes of leaves."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return node_hash(root_of(hashes[:k]), root_of(hashes[k:]))


def tile_name(n):
    name = "%03d" % (n % 1000)
    while n >= 1000:
        n //= 1000
        name = "x%03d/%s" % (n % 1000, name)
    return name


def read_tile(folder, kind, n, width):
    name = os.path.join(folder, "tile", kind, tile_name(n) + ("" if width == 256 else ".p/%d" % width))
    with open(name, "rb") as f:
        return f.read()


def check_log(folder, vkey):
    with open(os.path.join(folder, "checkpoint"), "rb") as f:
        size, root = open_checkpoint(f.read(), vkey)
    hashes = []
    for n in range((size + 255) // 256):
        width = min(256, size - 256 * n)
        bundle, leaves = read_tile(folder, "entries", n, width), []
        while bundle:
            length = int.from_bytes(bundle[:2], "big")
            leaves.append(leaf_hash(bundle[2 : 2 + length]))
            bundle = bundle[2 + length :]
        if len(leaves) != width or read_tile(folder, "0", n, width) != b"".join(leaves):
            raise Bad("tile %d is not that of its entries" % n)
        hashes += leaves
    if root_of(hashes) != root:
        raise Bad("the entries do not give the root of the checkpoint")
    level, below = 1, hashes
    while len(below) >= 256:
        below = [root_of(below[256 * i : 256 * i + 256]) for i in range(len(below) // 256)]
        for n in range((len(below) + 255) // 256):
            part = below[256 * n : 256 * n + 256]
            if read_tile(folder, str(level), n, len(part)) != b"".join(part):
                raise Bad("tile %d of level %d is not that of the tiles below" % (n, level))
        level += 1
    return "log of %d entries, root %s" % (size, base64.b64encode(root).decode())


def commitment(entry):
    """c(entry): SHA-256(length of tag || tag || salt || statement)."""
    tag = b"chancery entry v1"
    return hashlib.sha256(len(tag).to_bytes(8, "big") + tag + entry).digest()


def check_proof(file, vkey, leaf):
    with open(file, "rb") as f:
        head, _, checkpoint = f.read().partition(b"\n\n")
    lines = head.decode().split("\n")
    if lines.pop(0) != "c2sp.org/tlog-proof@v1":
        raise Bad("not a tlog-proof")
    if lines[0].startswith("extra "):
        extra = decode(lines.pop(0)[6:])
        if leaf is not None and leaf != commitment(extra):
            raise Bad("the entry in the proof is not the one that is proven")
        leaf = commitment(extra)
    if leaf is None:
        raise Bad("the proof holds no entry: give the commitment")
    index = int(lines.pop(0).removeprefix("index "))
    path = [decode(line) for line in lines]
    size, root = open_checkpoint(checkpoint, vkey)
    if not 0 <= index < size:
        raise Bad("entry %d is not in a log of %d" % (index, size))
    # RFC 9162, 2.1.3.2
    f, s, h = index, size - 1, leaf_hash(leaf)
    for p in path:
        if s == 0:
            raise Bad("the path is too long")
        if f & 1 or f == s:
            h = node_hash(p, h)
            while f and not f & 1:
                f, s = f >> 1, s >> 1
        else:
            h = node_hash(h, p)
        f, s = f >> 1, s >> 1
    if s != 0 or h != root:
        raise Bad("the path does not lead to the root of the checkpoint")
    return "entry %d of %d" % (index, size)


def main(args):
    try:
        if len(args) == 3 and args[0] == "log":
            print(check_log(args[1], args[2]))
        elif len(args) in (3, 4) and args[0] == "proof":
            print(check_proof(args[1], args[2], bytes.fromhex(args[3]) if len(args) == 4 else None))
        else:
            print(__doc__, file=sys.stderr)
            return 2
    except (Bad, ValueError, OSError, IndexError) as e:
        print("does not verify: %s" % e, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
