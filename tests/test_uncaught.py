"""Errors that nothing catches are found before anything runs: in a main process, and at the caller of a called one."""

from __future__ import annotations

from random import Random

import pytest

from bpmn.lint import check_diagram
from bpmn.reader import read_diagram
from bpmn.surroundings import ProcessSignature, Surroundings, signature
from bpmn.uncaught import errors_of, thrown_out
from engine.errors import Incident
from forms.words import Finding
from tests.drawing import draw
from tests.event_models import EVENT_MODELS
from tests.harness.gate import WORLD
from tests.playing import Play
from tests.random_models import random_event_model


def told(lines: str, *, kind: str = "main", **called: str) -> list[tuple[str, str | None]]:
    """What the gate says of errors in a process written as lines, with those it calls."""
    return [(each.code, each.element) for each in findings(lines, kind, **called) if each.code == "uncaught-error"]


def findings(lines: str, kind: str = "main", **called: str) -> list[Finding]:
    drawn = draw(lines, **called)
    processes = {name: signature(diagram) for name, diagram in drawn.diagrams.items()}
    data = drawn.files["p"].replace(b"<process ", f'<process policy:kind="{kind}" '.encode())
    around = Surroundings(forms=WORLD.forms, roles=WORLD.roles, processes=processes)
    return check_diagram(read_diagram(data, "p.bpmn"), around)


BOX = """
    start s -> box
    sub box -> e {{
        start bs -> a
        user a -> bx
        end bx | error=E1
        {inside}
    }}
    {outside}
    end e
"""
HANDLER = "handler {name} {{\n{start}\nuser {name}a -> {name}e\nend {name}e{throws}\n}}"


def handler(name: str, start: str, throws: str = "") -> str:
    return HANDLER.format(name=name, start=f"{start} scope -> {name}a", throws=throws)


CASES = {
    "nothing": ("", "", True),
    "another code": ("", "error b on box -> e | code=E2", True),
    "this code": ("", "error b on box -> e | code=E1", False),
    "any code": ("", "error b on box -> e", False),
    "an event subprocess inside": (handler("h", "error hs on"), "", False),
    "an event subprocess around": ("", handler("h", "error hs on"), False),
    "an escalation": ("", "escalation b on box -> e", True),
}


@pytest.mark.parametrize("name", CASES)
def test_an_error_is_caught_by_the_border_and_by_event_subprocesses_around(name: str) -> None:
    inside, outside, found = CASES[name]
    lines = BOX.format(inside=inside, outside=outside)
    assert told(lines) == ([("uncaught-error", "bx")] if found else [])
    play = Play(draw(lines))
    if not found:
        play.do("a")
        return
    with pytest.raises(Incident):  # what the gate foretells is what would happen
        play.do("a")


def test_the_sentence_says_where_what_and_what_to_do() -> None:
    (found,) = [each for each in findings(BOX.format(inside="", outside="")) if each.code == "uncaught-error"]
    assert (found.element, found.line > 0, found.severity) == ("bx", True, "error")
    assert "no event catches the error E1" in found.text.en and "catch it on the border" in found.text.en
    assert "没有事件捕获错误 E1" in found.text.zh


@pytest.mark.parametrize(("how", "found"), [("on", True), ("beside", False)])
def test_what_interrupts_a_scope_takes_the_other_events_of_the_scope_with_it(how: str, found: bool) -> None:
    around = handler("g", "error gs on") + "\n" + handler("h", f"message hs {how}", " | error=E1")
    lines = f"start s -> a\nuser a -> e\nend e\n{around}"
    assert told(lines) == ([("uncaught-error", "he")] if found else [])
    play = Play(draw(lines))
    play.fire("hs")
    if found:
        with pytest.raises(Incident):
            play.do("ha")
    else:
        play.do("ha")
        assert play.open() == ["ga"]


CHILD = "start cs -> ca\nuser ca -> cx\nend cx | error=E1"
CALLER = "start s -> call\ncall call -> e | called={}\n{}\nend e"


def test_a_called_process_may_end_in_an_error_which_its_caller_catches() -> None:
    assert told(CHILD) == [("uncaught-error", "cx")]
    assert told(CHILD, kind="called") == []
    assert told(CALLER.format("child", ""), child=CHILD) == [("uncaught-error", "call")]
    assert told(CALLER.format("child", "error b on call -> e | code=E1"), child=CHILD) == []
    (found,) = [each for each in findings(CALLER.format("child", ""), child=CHILD) if each.code == "uncaught-error"]
    assert "the called process child may end in the error E1" in found.text.en


def test_an_error_comes_through_a_process_between_unless_it_is_caught_there() -> None:
    def between(more: str) -> str:
        return f"start ms -> mc\ncall mc -> me | called=child\n{more}\nend me"

    lines = CALLER.format("middle", "")
    assert told(lines, middle=between(""), child=CHILD) == [("uncaught-error", "call")]
    assert told(lines, middle=between("error mb on mc -> me | code=E1"), child=CHILD) == []
    assert told(lines, middle=between("error mb on mc -> me | code=E2"), child=CHILD) == [("uncaught-error", "call")]
    assert told(lines, middle=between("error mb on mc -> me"), child=CHILD) == []


def test_calls_in_a_circle_end_the_search() -> None:
    one = ProcessSignature(errors=frozenset({"E1"}), sheltered=frozenset({"two"}))
    two = ProcessSignature(errors=frozenset({"E2"}), sheltered=frozenset({"one\tE1"}))
    assert errors_of("one", {"one": one, "two": two}) == {"E1", "E2"}


def test_an_escalation_that_nobody_catches_has_no_effect_and_is_no_finding() -> None:
    assert told(BOX.format(inside="", outside="").replace("error=E1", "escalation=U1")) == []


UNCAUGHT = {"an-error-that-may-be-caught-nowhere": {"two"}, "handlers-of-the-process": {"bad"}}


@pytest.mark.parametrize("name", EVENT_MODELS)
def test_of_the_models_of_events_exactly_those_are_found_that_can_get_stuck(name: str) -> None:
    drawn = EVENT_MODELS[name]
    around = Surroundings(processes={key: signature(diagram) for key, diagram in drawn.diagrams.items()})
    found = check_diagram(drawn.diagrams["p"], around)
    assert {each.element for each in found if each.code == "uncaught-error"} == UNCAUGHT.get(name, set())


def test_where_random_walks_meet_an_error_that_nobody_catches_the_gate_foretold_it(deep: bool) -> None:
    met: list[bool] = []
    for seed in range(600 if deep else 60):
        drawn, random = random_event_model(seed), Random(seed)
        foretold = {element.id for element, _ in thrown_out(drawn.diagrams["p"])}
        for _ in range(8):
            play = Play(drawn, drawn.decide(random))
            try:
                while (there := play.open()) and len(there) < 20:
                    play.do(random.choice(there), drawn.decide(random))
            except Incident as incident:
                if "caught by no event" in incident.text.en:
                    met.append(incident.about["element"] in foretold)
    assert all(met) and len(met) > 5
