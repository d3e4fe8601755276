#!/usr/bin/env python3
"""Follows the record batches that any process publishes, and may publish one itself.

usage: follow_batches.py BATCHES_DIR [--after SEGMENT.OFFSET] [--count N]
       follow_batches.py BATCHES_DIR --publish FILE.arrow [--tag name=value …]

Prints a JSON object a line, {"cursor": …, "batch": {"cid": …, "rows": …, "tags": …}}; with
`--after` and the last cursor it goes on where it stopped. The registry is a folder: files named
by CID that appear whole and never change, and a journal of lines in journal/NNNNNNNN.ndjson.
Following needs Python alone; publishing needs pyarrow to say what the columns are.
"""
import argparse
import datetime
import json
import os
import sys
import time
import uuid

from read_batch import cid_of

SEGMENT_BYTES = 16 << 20


def segments(journal):
    names = os.listdir(journal) if os.path.isdir(journal) else []
    return sorted(int(name[:8]) for name in names if name.endswith(".ndjson"))


def path_of(journal, segment):
    return os.path.join(journal, f"{segment:08}.ndjson")


def follow(journal, segment, offset):
    """Records from a place on, for ever. A line without its end is not finished yet."""
    while True:
        known = [number for number in segments(journal) if number >= segment]
        if known and known[0] > segment:
            segment, offset = known[0], 0
        # Asked before reading: what is appended here later is appended to the next one too.
        closed = len(known) > 1
        found = False
        if known:
            with open(path_of(journal, segment), "rb") as file:
                file.seek(offset)
                for line in file:
                    if not line.endswith(b"\n"):
                        break
                    offset += len(line)
                    found = True
                    try:
                        record = json.loads(line)
                    except ValueError:
                        continue  # An empty line, or one that somebody died in.
                    yield f"{segment}.{offset}", record
        if not found and closed:
            segment, offset = segment + 1, 0
        elif not found:
            time.sleep(0.01)


def publish(batches, journal, source, tags):
    """Copies a file to its CID, by a rename, and then tells of it in one appending write."""
    import pyarrow as pa

    with open(source, "rb") as file:
        data = file.read()
    with pa.ipc.open_file(source) as reader:
        rows = sum(reader.get_batch(at).num_rows for at in range(reader.num_record_batches))
        columns = [{"name": column.name, "type": str(column.type)} for column in reader.schema]
    cid = cid_of(memoryview(data))
    draft = os.path.join(batches, f".draft-{uuid.uuid4()}")
    os.makedirs(journal, exist_ok=True)
    with open(draft, "xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.chmod(draft, 0o444)
    os.rename(draft, os.path.join(batches, cid + ".arrow"))
    now = datetime.datetime.now(datetime.timezone.utc)
    created = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    record = dict(cid=cid, rows=rows, bytes=len(data), created=created, columns=columns, tags=tags)
    line = b"\n" + json.dumps(record).encode() + b"\n"
    while True:
        segment = (segments(journal) or [1])[-1]
        target = os.open(path_of(journal, segment), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(target, line)
            size = os.fstat(target).st_size
        finally:
            os.close(target)
        # Readers may have left a segment whose next one has begun.
        if not os.path.exists(path_of(journal, segment + 1)):
            break
    if size >= SEGMENT_BYTES:
        open(path_of(journal, segment + 1), "ab").close()
    return record


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("batches")
    arguments.add_argument("--after", default="1.0")
    arguments.add_argument("--count", type=int)
    arguments.add_argument("--publish")
    arguments.add_argument("--tag", action="append", default=[])
    given = arguments.parse_args()
    journal = os.path.join(given.batches, "journal")
    if given.publish:
        tags = dict(tag.split("=", 1) for tag in given.tag)
        print(json.dumps(publish(given.batches, journal, given.publish, tags)))
        return
    segment, offset = (int(part) for part in given.after.split("."))
    told = 0
    for cursor, batch in follow(journal, segment, offset):
        print(json.dumps({"cursor": cursor, "batch": batch}), flush=True)
        told += 1
        if told == given.count:
            return


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
