#!/usr/bin/env python3
"""Checks a journal that `till queue export --format jsonl` wrote (docs/PROTOCOL.md, "Export").

    python3 docs/verify.py FILE [--device FINGERPRINT] [--root FINGERPRINT]

Needs Python's standard library and shares no code with Till. Exits 0 when everything holds, 1 when something
does not, 2 when there is no file to check.
"""
import argparse, hashlib, json, re, sys
from base64 import b32encode, b64decode, b64encode
from datetime import date

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

LINE_BYTES_MAX = 8 * 1024 * 1024
PERSONAL = {"member_recognised", "approved", "paid_late", "member_forgotten"}
RECORDS = [{"hash", "head", "salt", "body"}, {"hash", "head", "salt", "body_base64"}, {"hash", "head", "erased"}]
END = {"export": int, "terminal": str, "made_ms": int, "streams": list, "received": list}
STREAM = {"epoch": str, "first_seq": int, "seq": int, "head": str}

faults, streams, hashes, erased = [], [], {}, {}
count = {"witnessed": 0, "unknown": 0}

def plain(text):  # What a file says must not move the cursor of whoever reads this.
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)

def need(holds, where, words):
    if not holds:
        faults.append(plain(f"FAULT {where}: {words}"))

# There is one way to write bytes and fields. Whatever else Python would take for the same is refused.

def must(holds, words):
    if not holds:
        raise ValueError(words)

def unhex(text, size=None):
    raw = bytes.fromhex(text)
    must(raw.hex() == text and size in (None, len(raw)), "that is not hexadecimal as it is written here")
    return raw

def unbase64(text):
    raw = b64decode(text, validate=True)
    must(b64encode(raw).decode() == text, "that is not base64 as it is written here")
    return raw

def parse(text):
    def once(fields):
        must(len(dict(fields)) == len(fields), "a name stands twice")
        return dict(fields)
    return json.loads(text, object_pairs_hook=once, parse_constant=lambda word: must(False, f"{word} is no number"))

def fields(given, wanted):
    """These fields of an object, each of its type: true is no number. A later Till may say more beside them."""
    must(all(type(given[name]) is kind for name, kind in wanted.items()), "a field is of another type")
    return {name: given[name] for name in wanted}

def header(head):
    """The header by its table in docs/PROTOCOL.md: all of it, and nothing behind it."""
    at = 0
    def take(size):
        nonlocal at
        at += size
        must(at <= len(head), "the header ends in the middle")
        return head[at - size:at]
    def flag():
        value = take(1)[0]
        must(value < 2, "a flag is neither 0 nor 1")
        return value
    text = lambda: take(take(1)[0]).decode()
    def slug():
        name = text()
        must(re.fullmatch("([a-z0-9][a-z0-9-]{0,15})?", name), "a name is not as names are written")
        return name
    must(take(2) == b"\0\1", "the record is of another format")
    terminal, epoch, seq, previous, kind = slug(), take(8).hex(), int.from_bytes(take(8), "big"), take(32).hex(), text()
    must(terminal, "no till is named")
    take(2), take(16 * flag()), slug(), take(8 + 16 + 8), take(8 * flag())  # until the cloud offset
    date(int.from_bytes(take(2), "big"), *take(2))
    take(4), slug(), slug(), flag(), take(8), text()  # until the serial
    must(not flag() or re.fullmatch(b"[A-Z]{3}", take(11)[:3]), "the amount has no currency")
    body_hash = take(32).hex()
    must(at == len(head), "there is something behind the header")
    return terminal, epoch, seq, previous, kind, body_hash

def record(where, line, expected):
    head = unhex(line["head"])
    terminal, epoch, seq, previous, kind, body_hash = header(head)
    own = sha256(b"till/record/1\n", head)
    need(line.keys() in RECORDS, where, "the line says more or less than a record does")
    need(own == line["hash"], where, "the hash is not the header's")
    need(expected in (None, terminal), where, "the record is of another till")
    if "erased" in line:
        erased.setdefault(epoch, []).append(seq)
        need(line["erased"] is True and kind in PERSONAL, where, f"a {kind} has no body")
    else:
        body, salt = line["body"].encode() if "body" in line else unbase64(line["body_base64"]), unhex(line["salt"], 16)
        holds = sha256(b"till/body/1\n", salt, body) == body_hash
        need(holds, where, "the body is not the one that the header names")
    if streams and streams[-1]["epoch"] == epoch:
        last = streams[-1]
        need((seq, previous) == (last["seq"] + 1, last["head"]), where, "the record does not follow from the one before")
    else:  # A stream may begin behind its genesis: what was before is not in the file.
        need(all(one["epoch"] != epoch for one in streams), where, "an epoch that was over goes on")
        is_genesis = seq == 1 and kind == "genesis" and not int(previous, 16)
        need(seq > 1 or is_genesis, where, "the first record of an epoch is not its genesis")
        streams.append({"epoch": epoch, "first_seq": seq})
    streams[-1].update(seq=seq, head=own)
    hashes[epoch, seq] = own
    return terminal

def end_of(where, line, terminal, asked):
    must(line.keys() == {"end", "device_key", "signature"}, "the signed line says more or less than it should")
    key, end, keys = unbase64(line["device_key"]), parse(line["end"]), {}
    message = b"till/export/1\n" + line["end"].encode()
    need(signed(key, message, unbase64(line["signature"])), where, "the device's signature does not hold")
    need(asked.device in (None, fingerprint(key)), where, "another device signed than the one that was named")
    told = fields(end, END)
    same = (told["export"], told["terminal"], [fields(one, STREAM) for one in told["streams"]]) == (1, terminal, streams)
    need(same, where, "the records are not those that the device signed for")
    told["made_ms"].to_bytes(8, "big", signed=True)
    if end.get("trust") is not None:
        root, given = unbase64(end["trust"]["root"]), end["trust"]["keys"]
        must(given.keys() == {"payload", "signature"}, "the keys say more or less than they should")
        need(asked.root in (None, fingerprint(root)), where, "another root vouches for it than the one that was named")
        holds = signed(root, b"till/keyset/1\n" + unbase64(given["payload"]), unbase64(given["signature"]))
        need(holds, where, "the root's signature over the keys does not hold")
        keys = json.loads(unbase64(given["payload"]))["keys"] if holds else {}
    else:
        need(asked.root is None, where, "no root vouches for anything in it")
    missing = {}
    for head in told["received"]:
        received(f"{where}, head {head['seq']}", head, keys, terminal, missing)
    for epoch, seq in missing.items():
        need(False, where, f"head office has record {seq} of epoch {epoch}, and it is not here: the tail was cut off")
    return fingerprint(key)

def received(where, head, keys, terminal, missing):
    """Head office has signed that it holds the stream up to here: so it must be here."""
    epoch, seq = head["epoch"], head["seq"]
    fields(head, {"seq": int, "at_ms": int})
    message = (b"till/head/1\n" + bytes([len(terminal)]) + terminal.encode() + unhex(epoch, 8) + seq.to_bytes(8, "big")
               + unhex(head["head"], 32) + head["at_ms"].to_bytes(8, "big", signed=True))
    signature, key = unbase64(head["signature"]), keys.get(unhex(head["key_id"], 4).hex())
    must(len(signature) == 64, "a signature has 64 bytes")
    if key is None:
        count["unknown"] += 1
        return
    good = key["purpose"] == "head" and key.get("revoked", "good") == "good"
    holds = good and signed(unbase64(key["public_key"]), message, signature)
    here = hashes.get((epoch, seq))
    is_before = any(one["epoch"] == epoch and seq < one["first_seq"] for one in streams)
    count["witnessed"] += bool(holds and here)
    need(holds, where, "head office's signature does not hold")
    need(not holds or here in (None, head["head"]), where, "the record is not the one that head office has signed for")
    if holds and not here and not is_before:
        missing[epoch] = max(seq, missing.get(epoch, 0))

def lines_of(file):
    """Each line with its number, from 1; what is longer than any line may be is passed over."""
    number = 0
    while text := file.readline(LINE_BYTES_MAX):
        number, is_long = number + 1, len(text) == LINE_BYTES_MAX and not text.endswith(b"\n")
        need(not is_long, f"line {number}", "the line is longer than any record may be")
        while is_long and text and not text.endswith(b"\n"):
            text = file.readline(LINE_BYTES_MAX)
        need(text.endswith(b"\n"), f"line {number}", "the file was cut off")
        if not is_long:
            yield f"line {number}", text

def main():
    parser = argparse.ArgumentParser(description="Checks an exported journal.")
    parser.add_argument("file")
    parser.add_argument("--device", help="fingerprint of the till's device key")
    parser.add_argument("--root", help="fingerprint of head office's root")
    asked, terminal, signer = parser.parse_args(), None, None
    asked.device, asked.root = (name and name.upper() for name in (asked.device, asked.root))
    try:
        file = open(asked.file, "rb")
    except OSError as error:
        parser.exit(2, f"{asked.file} cannot be read: {error.strerror}\n")
    with file:
        for where, text in lines_of(file):
            need(signer is None, where, "there is something behind the signed line")
            try:
                line = parse(text.decode())
                if "end" in line:
                    signer = "nobody who can be read"
                    signer = end_of(where, line, terminal, asked)
                else:
                    terminal = record(where, line, terminal)
            except (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, RecursionError) as error:
                need(False, where, f"cannot be read ({type(error).__name__}: {error})")
    need(signer, "end", "the signed line is missing: the file was cut off")
    for one in streams:
        print(f"{terminal}, epoch {one['epoch']}: records {one['first_seq']} to {one['seq']}")
        if one["epoch"] in erased:
            print("  Bodies erased:", *erased[one["epoch"]])
    print(f"{len(hashes)} records, {sum(map(len, erased.values()))} of them erased; signed by {signer or 'nobody'};"
          f" {count['witnessed']} heads witnessed, {count['unknown']} by keys that are not at hand")
    print(*faults, "Something does not hold." if faults else "Everything holds.", sep="\n")
    sys.exit(1 if faults else 0)

if __name__ == "__main__":
    main()
