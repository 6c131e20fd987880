"""Element templates for Camunda Modeler: they offer this library's words, and what the modeler keeps is read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bpmn.lint import check_diagram
from bpmn.reader import read_diagram
from bpmn.supported import WORDS
from engine.cli import main
from engine.element_templates import PLACE, element_templates
from engine.library import Library
from tests.harness.gate import APPLY, END, LINE, START, WORLD, gate, sentences
from tests.harness.models import model

EXPORTS = Path(__file__).parent / "exports"
SHIPPED = Library.standing()
TEMPLATES = json.loads((SHIPPED.bpmn / PLACE).read_text("utf-8"))
# What templates for message events of modeler 8 ask for besides: the message itself.
MESSAGE = "bpmn:Message#property"


def kept(*pairs: tuple[str, str], engine: str = "camunda") -> str:
    """Properties as a modeler keeps them inside an element."""
    said = "".join(f'<{engine}:property name="{name}" value="{value}"/>' for name, value in pairs)
    return f"<extensionElements><{engine}:properties>{said}</{engine}:properties></extensionElements>"


def apply_with(*pairs: tuple[str, str], said: str = "") -> str:
    return START + f'<userTask id="apply" {said}>{kept(*pairs)}</userTask>' + END


def test_the_shipped_file_offers_what_the_library_holds() -> None:
    assert (SHIPPED.bpmn / PLACE).read_text("utf-8") == element_templates(SHIPPED.vocabulary())


def test_an_owner_writes_templates_with_roles_of_her_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    SHIPPED.copy_to(tmp_path / "own")
    own = tmp_path / "own" / "bpmn"
    assert (own / PLACE).read_bytes() == (SHIPPED.bpmn / PLACE).read_bytes()
    with (own / "roles.yaml").open("a", encoding="utf-8") as roles:
        roles.write("- {code: librarian, zh: 馆员, en: Librarian}\n")
    monkeypatch.setenv("LIUHEN_LIBRARY", str(tmp_path / "own"))
    printed = CliRunner().invoke(main, ["library", "template"])
    assert printed.exit_code == 0, printed.output
    assert "馆员 · Librarian（librarian）" in printed.output
    written = CliRunner().invoke(main, ["library", "template", "-o", str(own / PLACE)])
    assert written.exit_code == 0 and (own / PLACE).read_text("utf-8") == printed.output


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda each: each["id"])
def test_a_template_asks_only_for_what_its_elements_may_say(template: dict[str, object]) -> None:
    binding = "camunda:property" if str(template["id"]).endswith("7") else "zeebe:property"
    for applied in template["appliesTo"]:  # type: ignore[attr-defined]
        kind = applied.removeprefix("bpmn:")
        known = WORDS["*"] | WORDS.get(kind[0].lower() + kind[1:], frozenset())
        for each in template["properties"]:  # type: ignore[attr-defined]
            name = each["binding"]["name"]
            assert each["binding"]["type"] in (binding, MESSAGE) and each["label"]
            if each["binding"]["type"] == binding:
                assert name.startswith("policy:") and name.removeprefix("policy:").partition(".")[0] in known


def test_the_templates_offer_role_form_deadline_facts_tag_basis_and_what_events_and_gateways_need() -> None:
    asked = {
        each["id"]: {one["binding"]["name"].removeprefix("policy:").partition(".")[0] for one in each["properties"]}
        for each in TEMPLATES
    }
    task = {"role", "form", "assignee", "due", "excluded", "fourEyes", "facts", "tag", "basis"}
    for modeler in "78":
        assert asked[f"liuhen.task.{modeler}"] >= task
        assert "outcome" in asked[f"liuhen.end.{modeler}"] and "basis" in asked[f"liuhen.gateway.{modeler}"]
    for event in ("liuhen.event.7", "liuhen.event.StartEvent.8", "liuhen.event.BoundaryEvent.8"):
        assert asked[event] >= {"sender", "form", "basis"}


def test_every_tag_of_the_library_is_one_that_is_offered() -> None:
    tags = SHIPPED.vocabulary().tags
    for process in SHIPPED.processes():
        diagram = read_diagram(SHIPPED.package(process).files["process.bpmn"], process)
        assert {each.policy["tag"] for each in diagram.elements.values() if "tag" in each.policy} <= tags.keys()


@pytest.mark.parametrize("modeler", ["7", "8"])
def test_what_camunda_modeler_saves_of_a_template_means_what_was_chosen(modeler: str) -> None:
    data = (EXPORTS / f"camunda-{modeler}-template.bpmn").read_bytes()
    read = read_diagram(data, "x.bpmn").elements
    assert dict(read["apply"].policy) == {"assignee": "applicant", "tag": "intake", "name-en": "Apply"}
    assert dict(read["decide"].policy) == {
        "role": "registrar, second_reviewer",
        "due": "add_working_days(today, 5)",
        "excluded": "[applicant]",
        "fourEyes": "apply",
        "facts": "F-DD-05, F-DD-06, F-RC-01?",
        "tag": "content_review",
        "basis": "002 §六",
    }
    assert dict(read["recalled"].policy) == {"sender": "applicant", "form": "recall", "tag": "withdrawal"}
    assert dict(read["g"].policy) == {"basis": "003 第十九条"}
    assert (dict(read["e"].policy), dict(read["w"].policy)) == ({"outcome": "approved"}, {"outcome": "withdrawn"})
    roles, facts = frozenset(SHIPPED.vocabulary().roles), frozenset(SHIPPED.vocabulary().facts)
    world = type(WORLD)(forms=WORLD.forms, roles=roles, operations={}, facts=facts)
    assert [str(each) for each in check_diagram(read_diagram(data, "x.bpmn"), world)] == []


@pytest.mark.parametrize("engine", ["camunda", "zeebe"])
def test_a_property_says_what_an_attribute_says_and_one_that_is_empty_nothing(engine: str) -> None:
    pairs = [("policy:assignee", "applicant"), ("policy:form", ""), ("policy:basis", "002 §六"), ("colour", "green")]
    body = START + f'<userTask id="apply">{kept(*pairs, engine=engine)}</userTask>' + END
    read = read_diagram(model(body, LINE), "x.bpmn").elements["apply"]
    assert dict(read.policy) == {"assignee": "applicant", "basis": "002 §六"}
    assert gate(body, LINE) == []


def test_a_property_that_is_misspelt_or_names_nobody_is_told_as_an_attribute_is() -> None:
    assert gate(apply_with(("policy:rolle", "clerk"), ("policy:assignee", "applicant")), LINE) == [
        ("unknown-attribute", "apply")
    ]
    assert "policy:rolle" in sentences(apply_with(("policy:rolle", "clerk")), LINE)
    assert "unknown-role" in {code for code, _ in gate(apply_with(("policy:role", "clrk")), LINE)}
    lines = "s -> apply\napply -> g\ng -> e if amount_fen > 3\ng -> f"
    body = START + APPLY + '<exclusiveGateway id="g" default="g_f"/>' + END + '<endEvent id="f" policy:outcome="no"/>'
    start = b'targetRef="apply">'
    flow = model(body, lines).replace(start, start + kept(("policy:rolle", "x")).encode())
    found = check_diagram(read_diagram(flow, "x.bpmn"), WORLD)
    assert [(each.element, "policy:rolle" in each.text.en) for each in found] == [("s_apply", True)]


def test_what_an_attribute_says_otherwise_is_told_and_the_property_counts() -> None:
    decide = f'<userTask id="decide" policy:role="head">{kept(("policy:role", "clerk"))}</userTask>'
    body, lines = START + APPLY + decide + END, "s -> apply\napply -> decide\ndecide -> e"
    diagram = read_diagram(model(body, lines), "x.bpmn")
    assert diagram.elements["decide"].policy["role"] == "clerk"
    [finding] = check_diagram(diagram, WORLD)
    assert (finding.code, finding.element, finding.severity) == ("said-twice", "decide", "warning")
    assert "policy:role" in finding.text.zh and "policy:role" in finding.text.en
    assert gate(body.replace('policy:role="head"', 'policy:role="clerk"'), lines) == []
