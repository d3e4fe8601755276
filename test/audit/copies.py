#!/usr/bin/env python3
"""Recomputes which copies there are from raw events and the ledger, sharing no code with the engine.

usage: copies.py --events FILE --ledger FILE --backends NAME … < values

FILE of --events: what the world told the engine, one JSON object a line, in any order:
  {"type": "told", "at", "cid", "backend", "confidence", "bytes", "place"}   an import named a copy
  {"type": "check", "at", "cid", "backend", "finding", "confidence"}  a check was reported;
      "lock", where it was told: a list of [legal hold, until or null, mode or null], empty for none
  {"type": "listing", "at", "backend", "place", "copies": {cid: bytes}}      an inventory of a
      backend, and where it says that files are
FILE of --ledger: all entries, one JSON object a line: {"entry", "recorded", "kind", "outcome",
"run", "cid", "backend", "bytes", "place"}; a copy that was made is an `outcome` with bytes, one that was
removed is a `proof`.
Standard input: what the engine says, as one JSON object:
  {"objects": {cid: {"present", "listed", "sampled", "verified": [names], "oldest"}},
   "locks": {cid: {backend: [legal hold, until or null, mode or null]}},
   "backends": {name: {"bytes", "copies"}}, "runs": {run: {"done", "skipped", "failed"}}}

Prints one JSON line; exits 1 when a value differs or nothing was compared.
"""
import argparse
import collections
import datetime as dt
import json
import sys

LEVELS = ["claimed", "listed", "sampled", "verified"]
STATES = {"present": "present", "absent": "lost", "corrupt": "corrupt"}


def time(text):
    moment = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.timezone.utc)


def lines(path):
    with open(path, encoding="utf-8") as handle:
        return [json.loads(line) for line in handle]


class Copies:
    """What is believed of each copy, by what was found last and how sure that was."""

    def __init__(self):
        self.known = {}
        self.locks = {}

    def lock(self, cid, backend, told, at):
        """What its storage said of a lock; one that it did not show (no mode) only time ends."""
        if self.known.get((cid, backend), ["lost"])[0] == "lost":
            return
        before = self.locks.get((cid, backend))
        if before is not None:
            held, until, mode, seen = before
            if seen > at or (not told and mode is None and not held and time(until) > at):
                return
        self.locks.pop((cid, backend), None)
        if told:
            self.locks[cid, backend] = [*told, at]

    def find(self, cid, backend, state, confidence, at, size=None, place=None):
        before = self.known.get((cid, backend))
        proven = at if confidence == "verified" else None
        if before is None:
            if size is not None:
                believed = state == "present" and proven or None
                self.known[cid, backend] = [state, confidence, size, believed, at, place]
            return
        old_state, old_confidence, old_size, old_proven, checked, old_place = before
        if old_state == "corrupt" and state == "present" and confidence != "verified":
            return
        if old_state != "present" and state == "present" and at < checked:
            return
        if state != "present":
            proven = None
        elif old_state == "present" and place in (None, old_place):
            proven = max(filter(None, [old_proven, proven]), default=None)
            confidence = max(old_confidence, confidence, key=LEVELS.index)
        size = old_size if size is None else size
        # A file in another place is another file: nobody has hashed it.
        self.known[cid, backend] = [state, confidence, size, proven, at, place or old_place]
        if state == "lost":
            self.locks.pop((cid, backend), None)

    def listing(self, backend, listed, place, at):
        for (cid, where), (state, _, size, *_) in list(self.known.items()):
            if where != backend:
                continue
            if cid not in listed:
                if state == "present":
                    self.find(cid, backend, "lost", "listed", at)
            elif state == "present" and size != listed[cid]:
                self.find(cid, backend, "corrupt", "listed", at, listed[cid], place)
        for cid, size in listed.items():
            state = self.known.get((cid, backend), ["present"])[0]
            if state != "corrupt":
                self.find(cid, backend, "present", "listed", at, size, place)

    def holders(self, cid, level):
        return sorted(
            backend
            for (name, backend), (state, confidence, *_) in self.known.items()
            if name == cid and state == "present" and LEVELS.index(confidence) >= LEVELS.index(level)
        )


def replay(events, ledger):
    copies, runs = Copies(), collections.defaultdict(collections.Counter)
    happenings = [(time(event["at"]), 0, event) for event in events]
    happenings += [(time(entry["recorded"]), entry["entry"], entry) for entry in ledger]
    for at, _, happening in sorted(happenings, key=lambda one: one[:2]):
        kind = happening.get("type") or happening["kind"]
        if kind == "listing":
            copies.listing(happening["backend"], happening["copies"], happening["place"], at)
        elif kind == "told":
            copies.find(
                happening["cid"], happening["backend"], "present", happening["confidence"], at,
                happening["bytes"], happening["place"],
            )
        elif kind == "check":
            copies.find(
                happening["cid"], happening["backend"], STATES[happening["finding"]],
                happening["confidence"], at,
            )
            if "lock" in happening:
                copies.lock(happening["cid"], happening["backend"], happening["lock"], at)
        elif kind == "outcome":
            runs[happening["run"]][happening["outcome"]] += 1
            if happening["outcome"] == "done" and happening["bytes"] is not None:
                copies.find(
                    happening["cid"], happening["backend"], "present", "verified", at,
                    happening["bytes"], happening["place"],
                )
        elif kind == "proof":
            copies.known.pop((happening["cid"], happening["backend"]), None)
            copies.locks.pop((happening["cid"], happening["backend"]), None)
    return copies, runs


def same_lock(engine, here):
    def plain(lock):
        return lock and [lock[0], lock[1] and time(lock[1]), lock[2]]

    return plain(engine) == plain(here)


def differences(said, copies, runs, backends):
    for cid in said["objects"]:
        for backend in backends:
            engine = said["locks"].get(cid, {}).get(backend)
            here = copies.locks.get((cid, backend))
            if not same_lock(engine, here):
                yield f"{cid}: lock of {backend}", engine, here
    for cid, values in said["objects"].items():
        for level in LEVELS:
            named = "present" if level == "claimed" else level
            here = copies.holders(cid, level)
            if sorted(values[named]) != here:
                yield f"{cid}: {named}", values[named], here
        proven = [
            copy[3]
            for (name, _), copy in copies.known.items()
            if name == cid and copy[0] == "present" and copy[1] == "verified"
        ]
        oldest = min(filter(None, proven), default=None)
        if (values["oldest"] and time(values["oldest"])) != oldest:
            yield f"{cid}: oldest", values["oldest"], oldest
    for backend in backends:
        sizes = [
            copy[2]
            for (_, name), copy in copies.known.items()
            if name == backend and copy[0] == "present"
        ]
        here = {"bytes": sum(sizes), "copies": len(sizes)}
        if said["backends"][backend] != here:
            yield backend, said["backends"][backend], here
    for run in set(said["runs"]) | set(runs):
        here = {outcome: runs[run][outcome] for outcome in ("done", "skipped", "failed")}
        if said["runs"].get(run) != here:
            yield run, said["runs"].get(run), here


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", required=True)
    parser.add_argument("--ledger", required=True)
    parser.add_argument("--backends", nargs="+", required=True)
    options = parser.parse_args()
    said = json.load(sys.stdin)
    copies, runs = replay(lines(options.events), lines(options.ledger))
    found = 0
    for what, engine, here in differences(said, copies, runs, options.backends):
        found += 1
        print(f"{what} is {engine}, not {here}", file=sys.stderr)
    print(json.dumps({
        "objects": len(said["objects"]), "runs": len(said["runs"]),
        "copies": len(copies.known), "locks": len(copies.locks), "differences": found,
    }))
    sys.exit(1 if found or not said["objects"] or not said["runs"] else 0)


main()
