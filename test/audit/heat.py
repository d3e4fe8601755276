#!/usr/bin/env python3
"""Recomputes heat and counts of reads from raw access logs, sharing no code with the engine.

usage: heat.py --now TIME --half-life SECONDS --objects FILE --log FORMAT PREFIX FILE … < values

FILE of --objects: one JSON object a line, in order of arrival: {"cid", "size", "ingested", "names"}.
--log: ndjson, s3, cloudfront or combined; what stands before its paths; the log itself. May be
given several times; every line of every log counts exactly once, whatever the engine was told.
Standard input: what the engine says, one JSON object a line: {"cid", "heat", "reads", "accessed",
"idle" (seconds), "rank", "percentile", "days": {"2026-01-31": 3}, "windows": {"7": 12}}.

Everything follows from the documents alone: heat is the sum of weight * 2^(-age / half-life); a
read is a GET answered with 200 or 206 that the engine did not make; a 206 weighs its share of the
object. Prints one JSON line; exits 1 when a value differs or nothing was compared.
"""
import argparse
import base64
import datetime as dt
import json
import math
import re
import sys
from urllib.parse import unquote_to_bytes, urlsplit

UTC = dt.timezone.utc
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def cid_bytes(text):
    """The binary form of a CID in base32 or base58, or None."""
    try:
        if re.fullmatch(r"Qm[1-9A-HJ-NP-Za-km-z]{44}", text):
            return base58(text)
        if re.fullmatch(r"b[a-z2-7]{50,}", text):
            body = text[1:].upper()
            return base64.b32decode(body + "=" * (-len(body) % 8))
        if re.fullmatch(r"z[1-9A-HJ-NP-Za-km-z]{40,}", text):
            return base58(text[1:])
    except ValueError:
        pass
    return None


def base58(text):
    number = 0
    for letter in text:
        number = number * 58 + BASE58.index(letter)
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")


def iso(text):
    moment = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def clf(text):
    if re.match(r"\d{4}-", text):
        return iso(text)
    return dt.datetime.strptime(text, "%d/%b/%Y:%H:%M:%S %z")


def decode(text):
    return unquote_to_bytes(text).decode("utf-8")


def named(path, prefix):
    """(kind, key) of the object that a decoded path names."""
    parts = path.split("/")
    candidate = parts[2] if path.startswith("/ipfs/") else re.sub(r"\.car$", "", parts[-1])
    found = cid_bytes(candidate)
    if found:
        return "cid", found
    return "path", prefix + (path if path.startswith("/") else "/" + path)


def is_read(method, status, agent):
    own = re.search(r"\bthermocline\b", agent or "")
    return method == "GET" and status in ("200", "206") and not own


def ndjson(lines, prefix):
    for line in lines:
        try:
            event = json.loads(line)
            weight = event.get("weight")
            if weight is None:
                size, sent = event.get("size"), event.get("bytes")
                weight = 1 if not size or sent is None else min(1, sent / size)
            key = ("cid", cid_bytes(event["cid"])) if "cid" in event else ("path", event["path"])
            yield key, iso(event["at"]), weight, None
        except (ValueError, KeyError, TypeError):
            continue


S3 = re.compile(r'"[^"]*"|\[[^\]]*\]|\S+')


def s3(lines, prefix):
    for line in lines:
        fields = S3.findall(line)
        if len(fields) < 18 or not fields[2].startswith("["):
            continue
        operation, key, request, status = fields[6], fields[7], fields[8], fields[9]
        method = "GET" if operation in ("REST.GET.OBJECT", "WEBSITE.GET.OBJECT") else "other"
        if not is_read(method, status, fields[16]):
            continue
        name = decode(key)
        if re.search(r"%[0-9A-Fa-f]{2}", name):
            sent_path = decode(request.split(" ")[1].split("?")[0])
            if sent_path.endswith("/" + decode(name)):
                name = decode(name)
        sent, size = fields[11], fields[12]
        weight = min(1, int(sent) / int(size)) if status == "206" else 1
        yield named(name, prefix), clf(fields[2].strip("[]")), weight, None


def cloudfront(lines, prefix):
    names = []
    for line in lines:
        if line.startswith("#"):
            if line.startswith("#Fields:"):
                names = line.split(":", 1)[1].split()
            continue
        values = line.split("\t")
        if len(values) != len(names):
            continue
        row = {name: value for name, value in zip(names, values) if value != "-"}
        if not is_read(row.get("cs-method"), row.get("sc-status"), row.get("cs(User-Agent)")):
            continue
        host = row.get("x-host-header", "").split(".")
        if len(host) > 1 and host[1] == "ipfs" and cid_bytes(host[0]):
            key = "cid", cid_bytes(host[0])
        else:
            path = decode(row["cs-uri-stem"])
            if re.search(r"%[0-9A-Fa-f]{2}", path):
                path = decode(path)
            key = named(path, prefix)
        sent = None
        if row["sc-status"] == "206":
            if "sc-range-start" in row and "sc-range-end" in row:
                sent = int(row["sc-range-end"]) - int(row["sc-range-start"]) + 1
            else:
                sent = int(row.get("sc-content-len", row.get("sc-bytes")))
        yield key, iso(row["date"] + "T" + row["time"] + "Z"), 1, sent


COMBINED = re.compile(
    r'\S+ \S+ .*?\[(?P<at>[^\]]+)\] "(?P<request>[^"]*)" (?P<status>\d{3}) (?P<sent>\d+|-)'
    r'(?: "[^"]*" "(?P<agent>[^"]*)")?'
)


def combined(lines, prefix):
    for line in lines:
        match = COMBINED.match(line)
        if not match:
            continue
        request = match["request"].split(" ")
        if not is_read(request[0], match["status"], match["agent"]):
            continue
        target = re.sub(r"\\x([0-9A-F]{2})", r"%\1", request[1])
        path = decode(urlsplit(target).path)
        sent = int(match["sent"]) if match["status"] == "206" else None
        yield named(path, prefix), clf(match["at"]), 1, sent


FORMATS = {"ndjson": ndjson, "s3": s3, "cloudfront": cloudfront, "combined": combined}


def recompute(objects, logs, now, half_life):
    by_cid, by_path, facts = {}, {}, {}
    for entry in objects:
        key = cid_bytes(entry["cid"])
        by_cid[key] = key
        for name in entry["names"]:
            by_path[name] = key  # the one that came last is what is read now
        facts[key] = {
            "size": entry["size"],
            "ingested": iso(entry["ingested"]),
            "weights": [],
            "days": {},
            "accessed": None,
        }
    reads = 0
    for form, prefix, path in logs:
        with open(path, encoding="utf-8") as handle:
            lines = [line.rstrip("\r\n") for line in handle]
        for (kind, key), at, weight, sent in FORMATS[form](lines, prefix.rstrip("/")):
            object_key = (by_cid if kind == "cid" else by_path).get(key)
            if object_key is None:
                continue
            fact = facts[object_key]
            if sent is not None and fact["size"]:
                weight *= min(1, sent / fact["size"])
            if weight <= 0:
                continue
            reads += 1
            at = min(at, now)
            day = at.astimezone(UTC).date().isoformat()
            fact["days"][day] = fact["days"].get(day, 0) + 1
            fact["accessed"] = max(at, fact["accessed"] or at)
            age = (now - at).total_seconds()
            fact["weights"].append(weight * 2 ** (-age / half_life))
    for fact in facts.values():
        fact["heat"] = math.fsum(fact["weights"])
    return facts, reads


def close(left, right):
    return math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-12)


def differences(said, fact, heats, now):
    """What the engine says of an object and what is so, where they differ."""
    heat = fact["heat"]
    hotter = sum(1 for other in heats if other > heat and not close(other, heat))
    colder = sum(1 for other in heats if other < heat and not close(other, heat))
    accessed = fact["accessed"]
    idle = (now - (accessed or fact["ingested"])).total_seconds()
    today = now.astimezone(UTC).date()
    if not close(said["heat"], heat):
        yield "heat", said["heat"], heat
    if said["reads"] != len(fact["weights"]):
        yield "reads", said["reads"], len(fact["weights"])
    if (said["accessed"] and iso(said["accessed"])) != accessed:
        yield "accessed", said["accessed"], accessed and accessed.isoformat()
    if abs(said["idle"] - idle) > 1e-3:
        yield "idle", said["idle"], idle
    if said["days"] != fact["days"]:
        yield "days", said["days"], fact["days"]
    for length, count in said["windows"].items():
        since = (now - dt.timedelta(days=int(length))).astimezone(UTC).date()
        within = [
            reads
            for day, reads in fact["days"].items()
            if since <= dt.date.fromisoformat(day) <= today
        ]
        if count != sum(within):
            yield f"accesses({length}d)", count, sum(within)
    # Heats that differ only by how their sums were rounded may stand in either order.
    if not hotter + 1 <= said["rank"] <= len(heats) - colder:
        yield "heat_rank", said["rank"], hotter + 1
    alike = len(heats) - hotter - colder
    if not colder <= round(said["percentile"] * len(heats)) <= colder + alike - 1:
        yield "heat_percentile", said["percentile"], colder / len(heats)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--now", type=iso, required=True)
    parser.add_argument("--half-life", type=float, required=True)
    parser.add_argument("--objects", required=True)
    parser.add_argument("--log", nargs=3, action="append", required=True)
    options = parser.parse_args()
    with open(options.objects, encoding="utf-8") as handle:
        objects = [json.loads(line) for line in handle]
    facts, reads = recompute(objects, options.log, options.now, options.half_life)
    heats = [fact["heat"] for fact in facts.values()]
    compared = found = 0
    for line in sys.stdin:
        said = json.loads(line)
        compared += 1
        for what, engine, here in differences(
            said, facts.pop(cid_bytes(said["cid"])), heats, options.now
        ):
            found += 1
            print(f"{said['cid']}: {what} is {engine}, not {here}", file=sys.stderr)
    for key in facts:
        found += 1
        print(f"{key.hex()}: the engine says nothing of it", file=sys.stderr)
    print(json.dumps({"objects": compared, "reads": reads, "differences": found}))
    sys.exit(1 if found or not compared or not reads else 0)


main()
