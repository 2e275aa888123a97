#!/usr/bin/env python3
"""Checks a journal that `till queue export --format jsonl` wrote (docs/PROTOCOL.md, "Export").

    python3 docs/verify.py FILE [--device FINGERPRINT] [--root FINGERPRINT]

Needs Python's standard library and shares no code with Till. Exits 0 when everything holds, 1 when something
does not, 2 when there is no file to check.
"""
import argparse, hashlib, json, sys
from base64 import b32encode, b64decode

# Ed25519 (RFC 8032, section 5.1): slow, short, and enough to verify with. A point is (X, Y, Z, T).
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P

def point(raw):
    y, sign = int.from_bytes(raw, "little") % 2**255, raw[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * pow(2, (P - 1) // 4, P) % P
    if y >= P or x * x % P != square or (x == 0 and sign):
        raise ValueError("no point of the curve")
    x = x if x % 2 == sign else P - x
    return x, y, 1, x * y % P

def add(a, b):
    k, l, m, n = (a[1] - a[0]) * (b[1] - b[0]), (a[1] + a[0]) * (b[1] + b[0]), 2 * a[3] * b[3] * D, 2 * a[2] * b[2]
    return (l - k) * (n - m) % P, (n + m) * (l + k) % P, (n - m) * (n + m) % P, (l - k) * (l + k) % P

def times(number, a):
    doubled = times(number // 2, add(a, a)) if number else (0, 1, 1, 0)
    return add(doubled, a) if number % 2 else doubled

def signed(key, message, signature):
    try:
        r, s, a = point(signature[:32]), int.from_bytes(signature[32:], "little"), point(key)
        base = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
        h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
        left, right = times(s % L, base), add(r, times(h, a))
    except (ValueError, IndexError):
        return False
    same = all((left[at] * right[2] - right[at] * left[2]) % P == 0 for at in (0, 1))
    return same and s < L and len(key) == 32 and len(signature) == 64

def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).hexdigest()

def fingerprint(key):
    text = b32encode(hashlib.sha256(key).digest()[:10]).decode()
    return "-".join(text[at:at + 4] for at in range(0, 16, 4))

faults, streams, hashes = [], [], {}
count = {"erased": 0, "witnessed": 0, "unknown": 0}

def need(holds, where, words):
    if not holds:
        faults.append(f"FAULT {where}: {words}")

def once(fields):
    if len(dict(fields)) < len(fields):
        raise ValueError("a name stands twice")
    return dict(fields)

def record(where, line, terminal):
    head = bytes.fromhex(line["head"])
    at, own = 3 + head[2], sha256(b"till/record/1\n", head)
    epoch, seq, previous = head[at:at + 8].hex(), int.from_bytes(head[at + 8:at + 16], "big"), head[at + 16:at + 48].hex()
    kind = head[at + 49:at + 49 + head[at + 48]].decode()
    extra = line.keys() - {"hash", "head", "salt", "body", "body_base64", "erased"}
    need(not extra, where, "the line says more than a record does")
    need(head[:2] == b"\0\1", where, "the record is of another format")
    need(own == line["hash"], where, "the hash is not the header's")
    need(terminal in (None, head[3:at].decode()), where, "the record is of another till")
    if line.get("erased") is True and not {"salt", "body", "body_base64"} & line.keys():
        count["erased"] += 1
        need(kind in {"member_recognised", "approved", "paid_late", "member_forgotten"}, where, f"a {kind} has no body")
    else:
        body, salt = line["body"].encode() if "body" in line else b64decode(line["body_base64"]), bytes.fromhex(line["salt"])
        holds = len(salt) == 16 and "erased" not in line and sha256(b"till/body/1\n", salt, body) == head[-32:].hex()
        need(holds, where, "the body is not the one that the header names")
    if streams and streams[-1]["epoch"] == epoch:
        last = streams[-1]
        need((seq, previous) == (last["seq"] + 1, last["head"]), where, "the record does not follow from the one before")
    else:  # A stream may begin behind its genesis: what was before is not in the file.
        need(all(one["epoch"] != epoch for one in streams), where, "an epoch that was over goes on")
        is_genesis = kind == "genesis" and not int(previous, 16)
        need(seq > 1 or is_genesis, where, "the first record of an epoch is not its genesis")
        streams.append({"epoch": epoch, "first_seq": seq})
    streams[-1].update(seq=seq, head=own)
    hashes[epoch, seq] = own
    return head[3:at].decode()

def end_of(where, line, terminal, asked):
    key, end, keys = b64decode(line["device_key"]), json.loads(line["end"]), {}
    message = b"till/export/1\n" + line["end"].encode()
    need(signed(key, message, b64decode(line["signature"])), where, "the device's signature does not hold")
    need(asked.device in (None, fingerprint(key)), where, "another device signed than the one that was named")
    told = [{name: one[name] for name in ("epoch", "first_seq", "seq", "head")} for one in end["streams"]]
    same = (end["export"], end["terminal"], told) == (1, terminal, streams)
    need(same, where, "the records are not those that the device signed for")
    if end.get("trust"):
        root, given = b64decode(end["trust"]["root"]), end["trust"]["keys"]
        need(asked.root in (None, fingerprint(root)), where, "another root vouches for it than the one that was named")
        holds = signed(root, b"till/keyset/1\n" + b64decode(given["payload"]), b64decode(given["signature"]))
        need(holds, where, "the root's signature over the keys does not hold")
        keys = json.loads(b64decode(given["payload"]))["keys"] if holds else {}
    else:
        need(asked.root is None, where, "no root vouches for anything in it")
    for head in end["received"]:
        received(f"{where}, head {head['seq']}", head, keys.get(head["key_id"]), terminal)
    return fingerprint(key)

def received(where, head, key, terminal):
    """Head office has signed that it holds the stream up to here: so it must be here."""
    if key is None:
        count["unknown"] += 1
        return
    message = (b"till/head/1\n" + bytes([len(terminal)]) + terminal.encode() + bytes.fromhex(head["epoch"])
               + head["seq"].to_bytes(8, "big") + bytes.fromhex(head["head"]) + head["at_ms"].to_bytes(8, "big", signed=True))
    good = key["purpose"] == "head" and key.get("revoked", "good") == "good"
    holds = good and signed(b64decode(key["public_key"]), message, b64decode(head["signature"]))
    here = hashes.get((head["epoch"], head["seq"]))
    is_before = any(one["epoch"] == head["epoch"] and head["seq"] < one["first_seq"] for one in streams)
    count["witnessed"] += bool(holds and here)
    need(holds, where, "head office's signature does not hold")
    need(not holds or here in (None, head["head"]), where, "the record is not the one that head office has signed for")
    need(not holds or here or is_before, where, "head office has this record, and it is not here: the tail was cut off")

def main():
    parser = argparse.ArgumentParser(description="Checks an exported journal.")
    parser.add_argument("file")
    parser.add_argument("--device", help="fingerprint of the till's device key")
    parser.add_argument("--root", help="fingerprint of head office's root")
    asked, terminal, signer = parser.parse_args(), None, None
    try:
        lines = open(asked.file, encoding="utf-8", errors="surrogateescape", newline="\n")
    except OSError as error:
        parser.exit(2, f"{asked.file} cannot be read: {error.strerror}\n")
    with lines:
        for where, text in ((f"line {number}", text) for number, text in enumerate(lines, start=1)):
            need(signer is None, where, "there is something behind the signed line")
            need(text.endswith("\n"), where, "the file was cut off")
            try:
                line = json.loads(text, object_pairs_hook=once)
                if "end" in line:
                    signer = "nobody who can be read"
                    signer = end_of(where, line, terminal, asked)
                else:
                    terminal = record(where, line, terminal)
            except (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError) as error:
                need(False, where, f"cannot be read ({error!r})")
    need(signer, "end", "the signed line is missing: the file was cut off")
    for one in streams:
        print(f"{terminal}, epoch {one['epoch']}: records {one['first_seq']} to {one['seq']}")
    print(f"{len(hashes)} records, {count['erased']} of them erased; signed by {signer or 'nobody'};"
          f" {count['witnessed']} heads witnessed, {count['unknown']} by keys that are not at hand")
    print(*faults, "Something does not hold." if faults else "Everything holds.", sep="\n")
    sys.exit(1 if faults else 0)

if __name__ == "__main__":
    main()
