#!/usr/bin/env python3
"""Checks a journal that `till queue export --format jsonl` wrote (docs/PROTOCOL.md, "Export").

    python3 docs/verify.py FILE [--device FINGERPRINT] [--root FINGERPRINT]

Needs Python's standard library and shares no code with Till. Exits 0 when everything holds, 1 when something does not.
"""
import argparse, base64, hashlib, json, sys

ERASABLE = {"member_recognised", "approved", "paid_late", "member_forgotten"}

# Ed25519, RFC 8032 section 5.1: slow, short, and enough to verify with.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)

def recover_x(y, sign):
    x2 = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * ROOT % P
    if (x * x - x2) % P or y >= P or (x == 0 and sign):
        raise ValueError("no point")
    return P - x if x & 1 != sign else x

def add(a, b):
    k, l = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    m, n = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = l - k, n - m, n + m, l + k
    return e * f % P, g * h % P, f * g % P, e * h % P

def times(s, point):
    out = (0, 1, 1, 0)
    while s:
        if s & 1:
            out = add(out, point)
        point, s = add(point, point), s >> 1
    return out

def point(raw):
    number = int.from_bytes(raw, "little")
    y, sign = number & (2**255 - 1), number >> 255
    x = recover_x(y, sign)
    return x, y, 1, x * y % P

BASE = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))

def signed(key, message, signature):
    try:
        if len(key) != 32 or len(signature) != 64:
            return False
        a, r, s = point(key), point(signature[:32]), int.from_bytes(signature[32:], "little")
    except ValueError:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    left, right = times(s, BASE), add(r, times(h, a))
    same = (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0
    return s < L and same

def fingerprint(key):
    text = base64.b32encode(hashlib.sha256(key).digest()[:10]).decode()
    return "-".join(text[i:i + 4] for i in range(0, 16, 4))

def head_fields(head):
    """What of a header the chain needs."""
    at = 3 + head[2]
    kind_at = at + 48
    kind = head[kind_at + 1:kind_at + 1 + head[kind_at]]
    return dict(format=int.from_bytes(head[:2], "big"), terminal=head[3:at].decode(), epoch=head[at:at + 8].hex(),
                seq=int.from_bytes(head[at + 8:at + 16], "big"), previous=head[at + 16:at + 48], kind=kind.decode(),
                body_hash=head[-32:])

class Check:
    def __init__(self):
        self.faults, self.streams, self.hashes = [], [], {}
        self.terminal, self.records, self.erased, self.witnessed, self.unknown = None, 0, 0, 0, 0

    def fault(self, where, words):
        self.faults.append(f"{where}: {words}")

    def record(self, where, line):
        head = bytes.fromhex(line["head"])
        f, record_hash = head_fields(head), hashlib.sha256(b"till/record/1\n" + head).digest()
        if f["format"] != 1:
            self.fault(where, f"the record has format {f['format']}")
        if record_hash.hex() != line["hash"]:
            self.fault(where, "the hash is not the header's")
        self.terminal = self.terminal or f["terminal"]
        if f["terminal"] != self.terminal:
            self.fault(where, "the record is of another till")
        if line.get("erased") is True and not {"salt", "body", "body_base64"} & line.keys():
            self.erased += 1
            if f["kind"] not in ERASABLE:
                self.fault(where, f"a {f['kind']} has no body, and speaks of no member")
        else:
            text = line.get("body")
            body = base64.b64decode(line.get("body_base64", "")) if text is None else text.encode()
            salt = bytes.fromhex(line.get("salt", ""))
            body_hash = hashlib.sha256(b"till/body/1\n" + salt + body).digest()
            if "erased" in line or len(salt) != 16 or body_hash != f["body_hash"]:
                self.fault(where, "the body is not the one that the header names")
        last = self.streams[-1] if self.streams else None
        if last is None or last["epoch"] != f["epoch"]:
            if any(stream["epoch"] == f["epoch"] for stream in self.streams):
                self.fault(where, "an epoch that was over goes on")
            if f["seq"] == 1 and (f["kind"] != "genesis" or any(f["previous"])):
                self.fault(where, "the first record of an epoch is not its genesis")
            last = dict(epoch=f["epoch"], first_seq=f["seq"])
            self.streams.append(last)
        elif f["seq"] != last["seq"] + 1:
            self.fault(where, f"record {f['seq']} stands where record {last['seq'] + 1} is due")
        elif f["previous"].hex() != last["head"]:
            self.fault(where, f"record {f['seq']} does not follow from the one before")
        last.update(seq=f["seq"], head=record_hash.hex())
        self.hashes[f["epoch"], f["seq"]] = record_hash.hex()
        self.records += 1

    def end(self, where, line, asked):
        key, text = base64.b64decode(line["device_key"]), line["end"]
        if not signed(key, b"till/export/1\n" + text.encode(), base64.b64decode(line["signature"])):
            self.fault(where, "the device's signature does not hold")
        self.device, end = fingerprint(key), json.loads(text)
        if asked.device not in (None, self.device):
            self.fault(where, "signed by another device than the one that was named")
        if end["export"] != 1 or end["terminal"] != self.terminal or end["streams"] != self.streams:
            self.fault(where, "the records are not those that the device signed for")
        trust, keys = end.get("trust"), {}
        if trust:
            root, payload = base64.b64decode(trust["root"]), base64.b64decode(trust["keys"]["payload"])
            if asked.root not in (None, fingerprint(root)):
                self.fault(where, "vouched for by another root than the one that was named")
            if signed(root, b"till/keyset/1\n" + payload, base64.b64decode(trust["keys"]["signature"])):
                keys = json.loads(payload)["keys"]
            else:
                self.fault(where, "the root's signature over the keys does not hold")
        elif asked.root:
            self.fault(where, "no root vouches for anything in it")
        for received in end["received"]:
            self.received(f"{where}, head {received['seq']}", received, keys)

    def received(self, where, received, keys):
        """Head office has signed that it holds the stream up to here: so it must be here."""
        epoch, seq, key = received["epoch"], received["seq"], keys.get(received["key_id"])
        if key is None:
            self.unknown += 1
            return
        name = self.terminal.encode()
        message = (b"till/head/1\n" + bytes([len(name)]) + name + bytes.fromhex(epoch) + seq.to_bytes(8, "big")
                   + bytes.fromhex(received["head"]) + received["at_ms"].to_bytes(8, "big", signed=True))
        good = key["purpose"] == "head" and key.get("revoked", "good") == "good"
        if not (good and signed(base64.b64decode(key["public_key"]), message, base64.b64decode(received["signature"]))):
            self.fault(where, "head office's signature does not hold")
            return
        stream = next((one for one in self.streams if one["epoch"] == epoch), None)
        if (epoch, seq) in self.hashes:
            self.witnessed += 1
            if self.hashes[epoch, seq] != received["head"]:
                self.fault(where, "the record is not the one that head office has signed for")
        elif stream is None or seq > stream["seq"]:
            self.fault(where, f"head office has record {seq}, and it is not here: the tail was cut off")

def main():
    parser = argparse.ArgumentParser(description="Checks an exported journal.")
    parser.add_argument("file")
    parser.add_argument("--device", help="fingerprint of the till's device key")
    parser.add_argument("--root", help="fingerprint of head office's root")
    asked, check, end = parser.parse_args(), Check(), None
    with open(asked.file, encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
        for number, text in enumerate(lines, start=1):
            where = f"line {number}"
            if end:
                check.fault(where, "there is something behind the signed line")
            if not text.endswith("\n"):
                check.fault(where, "the file was cut off")
            try:
                line = json.loads(text)
                if "end" in line:
                    end = (where, line)
                else:
                    check.record(where, line)
            except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
                check.fault(where, f"cannot be read ({error})")
    if end is None:
        check.fault("end", "the signed line is missing: the file was cut off")
    else:
        try:
            check.end(*end, asked)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            check.fault(end[0], f"the end cannot be read ({error})")
    for stream in check.streams:
        print(f"{check.terminal}, epoch {stream['epoch']}: records {stream['first_seq']} to {stream['seq']}")
    print(f"{check.records} records, {check.erased} of them erased; signed by {getattr(check, 'device', 'nobody')};"
          f" {check.witnessed} heads witnessed, {check.unknown} by keys that are not at hand")
    for fault in check.faults:
        print(f"FAULT {fault}")
    print("Something does not hold." if check.faults else "Everything holds.")
    sys.exit(1 if check.faults else 0)

if __name__ == "__main__":
    main()
