#!/usr/bin/env python3
"""Fetches a record batch by CID, verifies it by hashing it again, and reads it without copying.

usage: read_batch.py BATCHES_DIR CID [--verify-only]

BATCHES_DIR is the folder `batches` in Thermocline's data directory. Verifying needs Python alone;
reading needs pyarrow (`pip install pyarrow`), which maps the file into memory: the columns are
the bytes of the file, and no row is made. Prints one JSON line.
"""
import argparse
import base64
import hashlib
import json
import mmap
import os
import sys

# UnixFS profile unixfs-v1-2025: raw leaves of 1 MiB, 1,024 links a node.
CHUNK = 1 << 20
WIDTH = 1024
RAW, DAG_PB = 0x55, 0x70


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def field(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def count(number, value):
    return varint(number << 3) + varint(value)


def binary_cid(codec, block):
    return bytes([1, codec, 0x12, 0x20]) + hashlib.sha256(block).digest()


def parent(children):
    """A node of the tree: its CID, the bytes of the file below it, the bytes of all blocks."""
    size = sum(child[1] for child in children)
    unixfs = count(1, 2) + count(3, size) + b"".join(count(4, child[1]) for child in children)
    links = b"".join(
        field(2, field(1, cid) + field(2, b"") + count(3, total)) for cid, _, total in children
    )
    block = links + field(1, unixfs)
    return binary_cid(DAG_PB, block), size, len(block) + sum(child[2] for child in children)


def cid_of(data):
    """The CID of a file: of its bytes up to 1 MiB, else of the tree above its chunks."""
    chunks = (data[start : start + CHUNK] for start in range(0, max(len(data), 1), CHUNK))
    level = [(binary_cid(RAW, chunk), len(chunk), len(chunk)) for chunk in chunks]
    while len(level) > 1:
        level = [parent(level[at : at + WIDTH]) for at in range(0, len(level), WIDTH)]
    return "b" + base64.b32encode(level[0][0]).decode().lower().rstrip("=")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("batches")
    arguments.add_argument("cid")
    arguments.add_argument("--verify-only", action="store_true")
    given = arguments.parse_args()
    path = os.path.join(given.batches, given.cid + ".arrow")
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        with memoryview(mapped) as view:
            found = cid_of(view)
    if found != given.cid:
        sys.exit(f"{path} is damaged: its bytes have the CID {found}")
    answer = {"cid": found, "bytes": os.path.getsize(path)}
    if not given.verify_only:
        answer.update(read(path))
    print(json.dumps(answer))


def read(path):
    try:
        import pyarrow as pa
    except ImportError:
        sys.exit("the batch is intact; to read it: pip install pyarrow")
    before = pa.total_allocated_bytes()
    source = pa.memory_map(path)
    table = pa.ipc.open_file(source).read_all()
    columns = [{"name": column.name, "type": str(column.type)} for column in table.schema]
    # What Arrow allocated meanwhile would be copies.
    copied = pa.total_allocated_bytes() - before
    table.validate(full=True)
    first = {name: str(table[name][0]) for name in table.column_names} if table.num_rows else {}
    return {"rows": table.num_rows, "columns": columns, "copiedBytes": copied, "first": first}


if __name__ == "__main__":
    main()
