"""The comparison with an independent reader would notice an event log that tells of anything else than the trail."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from lxml import etree

from tests.bundles import Exported, Files
from tests.readers import OCEL, XES, Told, differences

pytest_plugins = ["tests.furnished", "tests.exporting"]

SPACE = {"x": "http://www.xes-standard.org/"}
KEYS = ("identity:id", "time:timestamp", "liuhen:kind", "liuhen:seq", "org:resource")


def as_read(files: Files) -> Told:
    """What a reader that reads everything says of these logs; like pm4py it drops relations to unknown objects."""
    tree: Any = etree.fromstring(files[XES])
    log = json.loads(files[OCEL])
    number = tree.xpath("//x:trace/x:string[@key='concept:name']/@value", namespaces=SPACE)
    objects = {each["id"] for each in log["objects"]}
    return {
        "xes": [
            [str(each.xpath(f"*[@key='{key}']/@value")[0]) for key in KEYS] + number
            for each in tree.xpath("//x:event", namespaces=SPACE)
        ],
        "events": [[each["id"], each["time"], each["type"], each["attributes"][0]["value"]] for each in log["events"]],
        "objects": [[each["id"], each["type"]] for each in log["objects"]],
        "relations": [
            [each["id"], one["objectId"], one["qualifier"]]
            for each in log["events"]
            for one in each["relationships"]
            if one["objectId"] in objects
        ],
    }


def in_xes(change: Callable[[Any], object]) -> Callable[[Files], None]:
    def changed(files: Files) -> None:
        tree: Any = etree.fromstring(files[XES])
        change(tree.xpath("//x:event", namespaces=SPACE))
        files[XES] = etree.tostring(tree)

    return changed


def in_ocel(change: Callable[[Any], object]) -> Callable[[Files], None]:
    def changed(files: Files) -> None:
        log = json.loads(files[OCEL])
        change(log)
        files[OCEL] = json.dumps(log).encode()

    return changed


DAMAGE = {
    "an event less": in_xes(lambda events: events[2].getparent().remove(events[2])),
    "an event twice": in_xes(lambda events: events[2].addnext(etree.fromstring(etree.tostring(events[2])))),
    "two events exchanged": in_xes(lambda events: events[1].addnext(events[0])),
    "another moment": in_xes(lambda events: events[1][2].set("value", "2026-03-02T00:59:59Z")),
    "another actor": in_xes(lambda events: events[1].xpath("*[@key='org:resource']")[0].set("value", "x")),
    "another kind": in_xes(lambda events: events[1].xpath("*[@key='liuhen:kind']")[0].set("value", "case.closed")),
    "another case": in_xes(lambda events: events[0].getparent()[0].set("value", "x")),
    "an event of objects less": in_ocel(lambda log: log["events"].pop()),
    "another type": in_ocel(lambda log: log["events"][0].update(type="case.closed")),
    "a moment of objects": in_ocel(lambda log: log["events"][0].update(time="2026-03-02T00:59:59Z")),
    "a relation twice": in_ocel(lambda log: [each.append(each[0]) for each in [log["events"][1]["relationships"]]]),
    "another type of object": in_ocel(lambda log: log["objects"][0].update(type="document")),
    "a relation less": in_ocel(lambda log: log["events"][1]["relationships"].pop()),
    "an object less": in_ocel(lambda log: log["objects"].pop()),
    "a relation to nothing": in_ocel(lambda log: log["events"][1]["relationships"][0].update(objectId="x")),
}


def test_a_log_of_the_product_is_read_as_the_trail_tells_it(exported: Exported) -> None:
    assert list(differences(exported.files, as_read(exported.files))) == []


def test_a_damaged_log_is_noticed(exported: Exported) -> None:
    for name, damage in DAMAGE.items():
        files = dict(exported.files)
        damage(files)
        assert list(differences(files, as_read(files))), name
