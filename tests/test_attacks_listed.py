"""Every attack on the list is carried out by a test that names it, so that an auditor finds each."""

from __future__ import annotations

from tests.attacks import ATTACKS, carried_out, named_in

WANTED = {f"{kind}{number + 1}" for kind, count in (("T", 11), ("B", 19), ("S", 11)) for number in range(count)}


def test_every_attack_is_listed_and_carried_out_and_no_other_is_named() -> None:
    assert ATTACKS.keys() == WANTED
    found = carried_out()
    assert found.keys() == WANTED
    assert [code for code, tests in found.items() if not tests] == []


def test_a_test_names_its_attacks_at_the_beginning_of_its_docstring() -> None:
    said = {"test_a": "Attacks B1, T10: x", "test_b": "No attack B2: x", "other": "Attack B3: x"}
    text = "".join(f'def {name}():\n    """{words}"""\n' for name, words in said.items())
    assert list(named_in(text)) == [("test_a", ["B1", "T10"])]
