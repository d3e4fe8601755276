#!/usr/bin/env python3
"""Re-hashes every stored file of every local backend, sharing no code with the engine.

usage: rehash.py BACKEND_DIR [BACKEND_DIR ...] < objects.ndjson

Standard input: one JSON object a line, {"cid": …, "size": …, "backends": ["<dir name>", …]},
what the engine promises, "atLeast" how many intact copies it must have, and "sha256" of the
content where that is known from elsewhere. Each promised copy must exist as a file whose name
contains the CID and whose bytes give that SHA-256, and that CID under UnixFS profile unixfs-v1-2025 (1 MiB chunks, raw leaves,
1024 links a node), computed here from the specifications of UnixFS and DAG-PB alone.
Prints one JSON line; exits 1 when a promise is broken.
"""
import base64
import hashlib
import json
import os
import sys

CHUNK = 1 << 20
FANOUT = 1024


def varint(number):
    out = bytearray()
    while True:
        low = number & 0x7F
        number >>= 7
        out.append(low | (0x80 if number else 0))
        if not number:
            return bytes(out)


def field(tag, payload):
    return varint(tag << 3 | 2) + varint(len(payload)) + payload


def cid_bytes(codec, block):
    return bytes([1]) + varint(codec) + b"\x12\x20" + hashlib.sha256(block).digest()


def node(children):
    """children: (cid, file bytes below, total stored bytes below) → the same of their parent."""
    links = b"".join(
        field(2, field(1, cid) + field(2, b"") + varint(3 << 3) + varint(stored))
        for cid, _, stored in children
    )
    size = sum(child[1] for child in children)
    unixfs = b"\x08\x02" + b"\x18" + varint(size)
    unixfs += b"".join(b"\x20" + varint(child[1]) for child in children)
    block = links + field(1, unixfs)
    return cid_bytes(0x70, block), size, len(block) + sum(child[2] for child in children)


def file_hashes(path):
    """The CID of a file and its plain SHA-256."""
    level = []
    whole = hashlib.sha256()
    with open(path, "rb") as handle:
        while True:
            chunk = handle.read(CHUNK)
            whole.update(chunk)
            if not chunk and level:
                break
            level.append((cid_bytes(0x55, chunk), len(chunk), len(chunk)))
            if len(chunk) < CHUNK:
                break
    while len(level) > 1:
        level = [node(level[at : at + FANOUT]) for at in range(0, len(level), FANOUT)]
    cid = "b" + base64.b32encode(level[0][0]).decode().lower().rstrip("=")
    return cid, whole.hexdigest()


def main():
    found = {}
    contents = {}
    files = corrupt = 0
    for folder in sys.argv[1:]:
        name = os.path.basename(os.path.normpath(folder))
        for parent, _, names in os.walk(folder):
            for entry in names:
                stem = entry.split(".")[0]
                if not stem.startswith("baf") or entry.endswith(".tmp"):
                    continue
                files += 1
                path = os.path.join(parent, entry)
                cid, content = file_hashes(path)
                if cid == stem:
                    found.setdefault(stem, set()).add(name)
                    contents[stem] = content
                else:
                    corrupt += 1
                    print(f"corrupt: {path}", file=sys.stderr)
    objects = missing = below = lost = 0
    copies = {}
    for line in sys.stdin:
        promise = json.loads(line)
        objects += 1
        have = found.get(promise["cid"], set())
        if have and promise.get("sha256", contents[promise["cid"]]) != contents[promise["cid"]]:
            print(f"wrong content: {promise['cid']} is not what was imported", file=sys.stderr)
            have = set()
        for backend in promise["backends"]:
            if backend not in have:
                missing += 1
                print(f"missing: {promise['cid']} on {backend}", file=sys.stderr)
        copies[len(have)] = copies.get(len(have), 0) + 1
        lost += not have
        if len(have) < promise.get("atLeast", 0):
            below += 1
            print(f"below: {promise['cid']} has {len(have)} intact copies", file=sys.stderr)
    report = {
        "files": files,
        "corrupt": corrupt,
        "objects": objects,
        "missing": missing,
        "below": below,
        "lost": lost,
        "objectsByIntactCopies": copies,
    }
    print(json.dumps(report))
    sys.exit(1 if corrupt or missing or below or not objects else 0)


main()
