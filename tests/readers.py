"""Has an independent program read the event logs of a bundle, and compares what it read with the events.

``python -P -m tests.readers --python PYTHON CASE.evidence.zip``: PYTHON is an interpreter of its own with pm4py, which
is under the AGPL and therefore neither locked nor installed beside Liuhen. It ends with 0 if everything was read as it
was told, else with 1 and what differs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.bundles import Files, unzipped

Told = Mapping[str, Any]
"""What a reader says it read: see ``READER``."""

XES, OCEL = "derived/log.xes", "derived/ocel.json"
READER = """
import json, sys
import pm4py

log = pm4py.read_xes(sys.argv[1])
columns = ["identity:id", "time:timestamp", "liuhen:kind", "liuhen:seq", "org:resource", "case:concept:name"]
ocel = pm4py.read_ocel2_json(sys.argv[2])
told = {
    "xes": [[str(value) for value in row] for row in log[columns].itertuples(index=False)],
    "events": ocel.events[["ocel:eid", "ocel:timestamp", "ocel:activity", "seq"]].astype(str).values.tolist(),
    "objects": ocel.objects[["ocel:oid", "ocel:type"]].astype(str).values.tolist(),
    "relations": ocel.relations[["ocel:eid", "ocel:oid", "ocel:qualifier"]].astype(str).values.tolist(),
}
with open(sys.argv[3], "w", encoding="utf-8") as target:
    json.dump(told, target)
"""


def read_by(python: str, files: Files) -> Told:
    """What pm4py reads, run by this interpreter. CalledProcessError: it could not read the logs at all."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "log.xes").write_bytes(files[XES])
        (folder / "ocel.json").write_bytes(files[OCEL])
        command = [python, "-I", "-c", READER, *(str(folder / each) for each in ("log.xes", "ocel.json", "told"))]
        subprocess.run(command, check=True, capture_output=True, text=True)
        told: Told = json.loads((folder / "told").read_text("utf-8"))
        return told


def differences(files: Files, told: Told) -> Iterator[str]:
    """What a reader read otherwise than the trail tells it, one sentence each."""
    events = [json.loads(line) for line in files["trail/events.jsonl"].splitlines()]
    manifest = json.loads(files["manifest.json"])
    number, case = manifest["number"], manifest["stream"].removeprefix("case/")
    moments = [datetime.fromisoformat(each["ts"]) for each in events]
    said = [[each["id"], at, each["type"], each["seq"]] for each, at in zip(events, moments, strict=True)]
    whole = [[*row, each["actor"]["id"], number] for row, each in zip(said, events, strict=True)]
    yield from _rows("XES", whole, [_typed(row) for row in told["xes"]])
    yield from _rows("OCEL", said, sorted((_typed(row) for row in told["events"]), key=lambda row: int(row[3])))
    related = {(each["id"], *one[1:]): one[0] for each in events for one in _related(each, case)}
    relations = Counter(tuple(each) for each in told["relations"])
    for one in sorted(related.keys() ^ relations.keys()):
        yield f"OCEL: {one} is {'' if one in related else 'not '}told, but was {'' if one in relations else 'not '}read"
    objects = {(identity, kind) for (_, identity, _), kind in related.items()}
    if max(relations.values()) > 1 or sorted(objects) != sorted(tuple(each) for each in told["objects"]):
        yield f"OCEL: the trail tells of {len(objects)} objects, but it read others or some twice"


def _related(event: Mapping[str, Any], case: str) -> Iterator[tuple[str, str, str]]:
    """The type, id and qualifier of everything an event is about, by the trail."""
    data = event["data"]
    yield "case", case, "in"
    yield "person", event["actor"]["id"], "by"
    if event["type"].startswith("task.") and "token" in data:
        yield "work_item", f"{case}.{data['token']}", "about"
    if "document" in data:
        yield "document", str(data["document"]), "about"


def _typed(row: Sequence[str]) -> list[Any]:
    identity, moment, kind, seq, *rest = row
    return [identity, datetime.fromisoformat(moment), kind, int(seq), *rest]


def _rows(name: str, told: list[list[Any]], read: list[list[Any]]) -> Iterator[str]:
    if len(told) != len(read):
        yield f"{name}: of {len(told)} events it read {len(read)}"
    for one, other in zip(told, read, strict=False):
        if one != other:
            yield f"{name}: event {one[3]} is {one}, but it read {other}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, and say what was read; the exit code."""
    parser = argparse.ArgumentParser(description="Has pm4py read the event logs of a bundle.")
    parser.add_argument("--python", required=True, help="an interpreter with pm4py, outside this environment")
    parser.add_argument("bundle", type=Path)
    asked = parser.parse_args(arguments)
    files = unzipped(asked.bundle.read_bytes())
    told = read_by(asked.python, files)
    kinds = Counter(kind for _, kind in told["objects"])
    sys.stdout.write(
        f"XES: {len(told['xes'])} events; OCEL: {len(told['events'])} events, {len(told['relations'])} relations, "
        + ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        + "\n"
    )
    found = list(differences(files, told))
    sys.stdout.writelines(f"{each}\n" for each in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
