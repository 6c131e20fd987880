"""The event logs for other programs: XES as IEEE 1849-2016 has it, OCEL 2.0 in JSON, and both tell every event."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from lxml import etree

from engine import items
from engine.trail.derived import ocel, xes
from engine.trail.material import Material, View
from tests.office import Office

pytest_plugins = ["tests.furnished"]

# The part of the standard's schema that a log with flat attributes uses: what may stand where, and of which type.
XES = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="http://www.xes-standard.org/"
    targetNamespace="http://www.xes-standard.org/" elementFormDefault="qualified">
  <xs:element name="log"><xs:complexType>
    <xs:sequence>
      <xs:element name="extension" minOccurs="0" maxOccurs="unbounded"><xs:complexType>
        <xs:attribute name="name" type="xs:NCName" use="required"/>
        <xs:attribute name="prefix" type="xs:NCName" use="required"/>
        <xs:attribute name="uri" type="xs:anyURI" use="required"/>
      </xs:complexType></xs:element>
      <xs:element name="trace" maxOccurs="unbounded"><xs:complexType><xs:sequence>
        <xs:group ref="attributes" minOccurs="0" maxOccurs="unbounded"/>
        <xs:element name="event" minOccurs="0" maxOccurs="unbounded"><xs:complexType>
          <xs:group ref="attributes" minOccurs="0" maxOccurs="unbounded"/>
        </xs:complexType></xs:element>
      </xs:sequence></xs:complexType></xs:element>
    </xs:sequence>
    <xs:attribute name="xes.version" type="xs:decimal" use="required"/>
    <xs:attribute name="xes.features" type="xs:string" use="required"/>
  </xs:complexType></xs:element>
  <xs:group name="attributes"><xs:choice>
    <xs:element name="string"><xs:complexType><xs:attributeGroup ref="keyed"/>
      <xs:attribute name="value" type="xs:string" use="required"/></xs:complexType></xs:element>
    <xs:element name="id"><xs:complexType><xs:attributeGroup ref="keyed"/>
      <xs:attribute name="value" type="xs:string" use="required"/></xs:complexType></xs:element>
    <xs:element name="date"><xs:complexType><xs:attributeGroup ref="keyed"/>
      <xs:attribute name="value" type="xs:dateTime" use="required"/></xs:complexType></xs:element>
    <xs:element name="int"><xs:complexType><xs:attributeGroup ref="keyed"/>
      <xs:attribute name="value" type="xs:long" use="required"/></xs:complexType></xs:element>
  </xs:choice></xs:group>
  <xs:attributeGroup name="keyed"><xs:attribute name="key" type="xs:Name" use="required"/></xs:attributeGroup>
</xs:schema>"""

# OCEL 2.0, JSON: four lists; the value of every attribute is a text, its type stands in the declaration. This is the
# published schema and narrower: nothing that it does not name, the five types of its text, moments in UTC.
TEXT = {"type": "string"}
MOMENT = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z$"}
KIND = {"enum": ["string", "time", "integer", "float", "boolean"]}


def listed(required: list[str], **properties: Any) -> dict[str, Any]:
    record = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return {"type": "array", "items": record}


DECLARED = listed(["name", "attributes"], name=TEXT, attributes=listed(["name", "type"], name=TEXT, type=KIND))
RELATED = listed(["objectId", "qualifier"], objectId=TEXT, qualifier=TEXT)
OCEL = {
    "type": "object",
    "additionalProperties": False,
    "required": ["eventTypes", "objectTypes", "events", "objects"],
    "properties": {
        "eventTypes": DECLARED,
        "objectTypes": DECLARED,
        "events": listed(
            ["id", "type", "time"], id=TEXT, type=TEXT, time=MOMENT, relationships=RELATED,
            attributes=listed(["name", "value"], name=TEXT, value=TEXT),
        ),
        "objects": listed(
            ["id", "type"], id=TEXT, type=TEXT, relationships=RELATED,
            attributes=listed(["name", "value", "time"], name=TEXT, value=TEXT, time=MOMENT),
        ),
    },
}  # fmt: skip


@pytest.fixture
def material(office: Office) -> Material:
    case = office.start()
    office.do(case, "review", "登记员")
    office.act("登记员", items.comment, case, "备注 <&>")
    with office.database.look("system") as work:
        return Material.of(work, case, View())


def test_xes_is_valid_and_tells_every_event_in_order(material: Material) -> None:
    tree = etree.fromstring(xes(material))
    etree.XMLSchema(etree.fromstring(XES)).assertValid(tree)
    space = {"x": "http://www.xes-standard.org/"}
    ids = tree.xpath("//x:event/x:id[@key='identity:id']/@value", namespaces=space)
    assert ids == [body["id"] for body in material.bodies]
    times = tree.xpath("//x:event/x:date/@value", namespaces=space)
    assert times == [body["ts"] for body in material.bodies]
    assert all(datetime.fromisoformat(str(body["ts"])).tzinfo for body in material.bodies)


def test_ocel_is_valid_and_every_object_an_event_names_is_there(material: Material) -> None:
    log = json.loads(ocel(material))
    Draft202012Validator(OCEL).validate(log)
    objects = {each["id"]: each["type"] for each in log["objects"]}
    assert len(objects) == len(log["objects"])
    named = {one["objectId"] for each in log["events"] for one in each["relationships"]}
    assert named <= objects.keys()
    assert set(objects.values()) <= {each["name"] for each in log["objectTypes"]}
    declared = {each["name"]: {one["name"] for one in each["attributes"]} for each in log["eventTypes"]}
    for event in log["events"]:
        assert {each["name"] for each in event["attributes"]} <= declared[event["type"]]
    assert [each["id"] for each in log["events"]] == [body["id"] for body in material.bodies]
