"""A case's events in the two formats of process mining: XES (IEEE 1849-2016) and OCEL 2.0 (JSON)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from lxml import etree

from engine.trail.material import Material
from engine.trail.record import EVENT_KINDS

EXTENSIONS = {
    "Concept": ("concept", "http://www.xes-standard.org/concept.xesext"),
    "Time": ("time", "http://www.xes-standard.org/time.xesext"),
    "Lifecycle": ("lifecycle", "http://www.xes-standard.org/lifecycle.xesext"),
    "Organizational": ("org", "http://www.xes-standard.org/org.xesext"),
    "Identity": ("identity", "http://www.xes-standard.org/identity.xesext"),
}
LIFECYCLE = {
    "task.opened": "schedule",
    "task.claimed": "assign",
    "task.cancelled": "withdraw",
    "task.released": "reassign",
}
EPOCH = "1970-01-01T00:00:00Z"


def xes(material: Material) -> bytes:
    """The case as an event log with one trace."""
    about = {"xes.version": "1849.2016", "xes.features": "", "xmlns": "http://www.xes-standard.org/"}
    log = etree.Element("log", about)
    for name, (prefix, uri) in EXTENSIONS.items():
        etree.SubElement(log, "extension", name=name, prefix=prefix, uri=uri)
    trace = etree.SubElement(log, "trace")
    _string(trace, "concept:name", material.row["number"])
    _string(trace, "liuhen:process", material.row["process"])
    for event, body in zip(material.events, material.bodies, strict=True):
        entry = etree.SubElement(trace, "event")
        element = body.get("process", {}).get("element")
        _string(entry, "concept:name", _activity(material, body))
        etree.SubElement(entry, "id", key="identity:id", value=body["id"])
        etree.SubElement(entry, "date", key="time:timestamp", value=body["ts"])
        _string(entry, "lifecycle:transition", LIFECYCLE.get(body["type"], "complete"))
        _string(entry, "org:resource", body["actor"]["id"])
        if body["actor"].get("role"):
            _string(entry, "org:role", body["actor"]["role"])
        _string(entry, "liuhen:kind", body["type"])
        if element:
            _string(entry, "liuhen:element", element)
        etree.SubElement(entry, "int", key="liuhen:seq", value=str(body["seq"]))
        _string(entry, "liuhen:hash", event["hash"])
    data: bytes = etree.tostring(log, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return data


def ocel(material: Material) -> bytes:
    """The case with its work items, documents and people as objects of events."""
    objects: dict[str, dict[str, Any]] = {}
    events = []
    for event, body in zip(material.events, material.bodies, strict=True):
        related = []
        for kind, identity, qualifier in _objects(material, body):
            objects.setdefault(identity, {"id": identity, "type": kind, "attributes": [], "relationships": []})
            related.append({"objectId": identity, "qualifier": qualifier})
        said = {"seq": str(body["seq"]), "hash": event["hash"], "element": body.get("process", {}).get("element", "")}
        attributes = [{"name": name, "value": value} for name, value in said.items()]
        about = {"id": body["id"], "type": body["type"], "time": body["ts"]}
        events.append({**about, "attributes": attributes, "relationships": related})
    case = objects.setdefault(
        material.row["id"], {"id": material.row["id"], "type": "case", "attributes": [], "relationships": []}
    )
    case["attributes"] = [{"name": "number", "time": EPOCH, "value": material.row["number"]}]
    declared = [("seq", "integer"), ("hash", "string"), ("element", "string")]
    types = [
        {"name": kind, "attributes": [{"name": name, "type": of} for name, of in declared]}
        for kind in sorted({event["type"] for event in events})
    ]
    kinds = {"case": [{"name": "number", "type": "string"}], "work_item": [], "document": [], "person": []}
    said_of = [{"name": name, "attributes": attributes} for name, attributes in kinds.items()]
    whole = {"eventTypes": types, "events": events, "objectTypes": said_of, "objects": list(objects.values())}
    return json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _objects(material: Material, body: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What an event is about: type, id, and in which way."""
    yield "case", material.row["id"], "in"
    yield "person", body["actor"]["id"], "by"
    data = body["data"]
    if "token" in data and body["type"].startswith("task."):
        yield "work_item", f"{material.row['id']}.{data['token']}", "about"
    if "document" in data:
        yield "document", str(data["document"]), "about"


def _activity(material: Material, body: dict[str, Any]) -> str:
    """What happened, for a reader: the name of the step, else that of the kind of event."""
    about = body.get("process", {})
    for contents in material.deployed.contents.values():
        element = contents.diagram.elements.get(about.get("element", ""))
        if element is not None and element.name:
            return f"{EVENT_KINDS[body['type']][0]}：{element.name}"
    return EVENT_KINDS[body["type"]][0]


def _string(under: Any, key: str, value: str) -> None:
    etree.SubElement(under, "string", key=key, value=value)
