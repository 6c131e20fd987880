"""Bad input, through the engine and through the command line: refused with a sentence, and nothing has changed."""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bpmn.picture import draw
from engine import cases, definitions, items, people
from engine.errors import AlreadyDone, Invalid, NotFound, NotYours, Refusal, Unusable
from engine.packages import Package
from engine.work import SYSTEM
from forms.words import Unfit
from tests.office import ANSWERS, NewOffice, Office, attempt_told, package
from webui.cli import main

pytest_plugins = ["tests.furnished"]

PERMIT = package("permit").files
DIAGRAM = PERMIT["process.bpmn"].decode()
HEAD, BODY = DIAGRAM.split("?>", 1)
PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
PNG += struct.pack(">I", zlib.crc32(PNG[12:])) + b"\0\0\0\0IEND\xaeB`\x82"


def changed(old: str, new: str) -> bytes:
    """The diagram with one text in it exchanged."""
    assert old in DIAGRAM
    return DIAGRAM.replace(old, new, 1).encode()


def entity_bomb() -> bytes:
    """Ten entities, each ten of the one before it."""
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    return f'{HEAD}?><!DOCTYPE x [<!ENTITY e0 "boom">{levels}]>{BODY}'.replace('name="许可"', 'name="&e9;"').encode()


FILES: dict[str, Callable[[], bytes]] = {
    "a foreign entity": lambda: (
        f'{HEAD}?><!DOCTYPE x [<!ENTITY file SYSTEM "file:///etc/passwd">]>{BODY}'.replace("许可", "&file;").encode()
    ),
    "a foreign DTD": f'{HEAD}?><!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">{BODY}'.encode,
    "an entity bomb": entity_bomb,
    "an entity out of nothing": lambda: changed('name="许可"', 'name="&nothing;"'),
    "50 MB": lambda: DIAGRAM.encode() + b"<!-- " + b"x" * 50_000_000 + b" -->",
    "100,000 levels": lambda: b"<a>" * 100_000 + b"</a>" * 100_000,
    "100,000 levels in a diagram": lambda: changed("<startEvent", "<x>" * 100_000 + "</x>" * 100_000 + "<startEvent"),
    "cut short": lambda: DIAGRAM.encode()[:2_000],
    "cut within a letter": lambda: DIAGRAM.encode()[: DIAGRAM.encode().index("许".encode()) + 1],
    "empty": lambda: b"",
    "blank": lambda: b" \n\t ",
    "a picture": lambda: PNG,
    "zeros": lambda: b"\0" * 1_000,
    "words": "这不是流程图".encode,
    "a web page": lambda: b"<html><body>hello</body></html>",
    "an id twice": lambda: changed('id="second"', 'id="review"'),
    "no start event": lambda: changed('<startEvent id="start"/>', ""),
    "a condition that imports": lambda: changed("decision == 'return'", "__import__('os').system('id')"),
    "a condition with attributes": lambda: changed("decision == 'return'", "().__class__.__base__.__subclasses__()"),
    "a script that imports": lambda: changed("is_large = amount_fen", "is_large = __import__('os').getpid()"),
    "a script that opens a file": lambda: changed("whole = apply", "whole = open('/etc/passwd').read()"),
    "a script without end": lambda: changed("whole = apply", "whole = 10 ** 10 ** 10"),
    "a traversal in a form key": lambda: changed('policy:form="changed"', 'policy:form="../../../etc/passwd"'),
    "an absolute form key": lambda: changed('policy:form="changed"', 'policy:form="/etc/passwd"'),
    "a form key of Windows": lambda: changed('policy:form="changed"', 'policy:form="..\\..\\secret"'),
    "a role of nobody": lambda: changed('policy:role="registrar"', 'policy:role="nobody"'),
    "a variable nobody brings": lambda: changed("decision == 'return'", "desicion == 'return'"),
    "a loop without a wait at a gateway that is none": lambda: changed('targetRef="decide"', 'targetRef="nowhere"'),
    "an end without an outcome": lambda: changed(' policy:outcome="registered"', ""),
    "a task without a role": lambda: changed('policy:name-en="Archive" policy:role="registrar"', ""),
    "an element that is not run": lambda: changed("<scriptTask", '<manualTask id="x"/><scriptTask'),
}
FORMS: dict[str, bytes] = {
    "no form": b"just words",
    "a key twice": b"id: review\nid: review\n",
    "an anchor": b"id: &a review\ntitle: *a\n",
    "a bomb of anchors": b"a: &a [x]\nb: &b [*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b]\nd: [*c,*c]\n",
    "a tag that makes objects": b"id: !!python/object/apply:os.system ['id']\n",
    "bytes that are no text": b"\xff\xfe\x00\x00",
    "endless nesting": b"[" * 100_000,
    "an expression that imports": PERMIT["forms/review.yaml"].replace(b"decision == 'return'", b"__import__('os')"),
    "an unknown kind": PERMIT["forms/review.yaml"].replace(b"kind: choice", b"kind: magic"),
    "empty": b"",
}


def sound_but(path: str, content: bytes) -> Package:
    """The permit with one file exchanged."""
    return Package("permit", {**PERMIT, path: content})


def told(result: Result) -> str:
    """What the command line says of a refusal: sentences in both languages, and no trace of a program."""
    assert "Traceback" not in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.output


ORDERED = (
    "a foreign entity", "an entity bomb", "50 MB", "100,000 levels", "cut short", "empty", "a picture", "an id twice",
    "no start event", "a condition that imports", "a traversal in a form key",
)  # fmt: skip


@pytest.mark.parametrize("name", ORDERED)
def test_a_hostile_diagram_is_not_deployed_and_nothing_changes(new_office: NewOffice, name: str) -> None:
    office = new_office("sqlite")
    before = office.state()
    with pytest.raises(Unfit) as unfit:
        office.deploy(sound_but("process.bpmn", FILES[name]()))
    for finding in unfit.value.findings:
        assert finding.text.zh and finding.text.en and finding.file
        assert len(str(finding)) < 2_000
    assert "root:" not in str(unfit.value)
    assert office.state() == before


def test_every_hostile_file_is_told_its_findings_by_the_command_line(new_office: NewOffice, tmp_path: Path) -> None:
    office = new_office("sqlite")
    before = office.state()
    packages = [sound_but("process.bpmn", make()) for make in FILES.values()]
    packages += [sound_but("forms/review.yaml", content) for content in FORMS.values()]
    folders = []
    for number, (name, each) in enumerate(zip([*FILES, *FORMS], packages, strict=True)):
        folders.append(tmp_path / f"{number}" / name)
        for path, content in each.files.items():
            (folders[-1] / path).parent.mkdir(parents=True, exist_ok=True)
            (folders[-1] / path).write_bytes(content)
    readable = [str(folder) for folder in folders if (folder / "process.bpmn").stat().st_size < 30_000_000]
    result = CliRunner().invoke(main, ["--database", office.url, "check", "--json", *readable])
    assert result.exit_code == 1, told(result)
    findings = json.loads(result.stdout)
    errors = {finding["package"] for finding in findings if finding["severity"] == "error"}
    assert errors == set(readable)
    assert all(finding["zh"] and finding["en"] and finding["file"] and finding["id"] for finding in findings)
    assert CliRunner().invoke(main, ["--database", office.url, "deploy", *readable]).exit_code == 1
    for folder in folders:
        if str(folder) not in readable:
            for command in ("check", "deploy"):
                result = CliRunner().invoke(main, ["--database", office.url, command, str(folder)])
                assert result.exit_code == 1 and told(result)
    assert office.state() == before


def test_a_hostile_zip_is_refused_by_the_command_line(new_office: NewOffice, tmp_path: Path) -> None:
    office = new_office("sqlite")
    before = office.state()
    with zipfile.ZipFile(tmp_path / "up.zip", "w") as archive:
        archive.writestr("process.bpmn", DIAGRAM)
        archive.writestr("../../../evil.yaml", "x")
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("process.bpmn", b"\0" * 40_000_000)
    (tmp_path / "none.zip").write_bytes(b"PK\x03\x04 and then nothing")
    for name, code in (("up.zip", 1), ("bomb.zip", 1), ("none.zip", 2)):
        for command in ("check", "deploy"):
            result = CliRunner().invoke(main, ["--database", office.url, command, str(tmp_path / name)])
            assert result.exit_code == code
            assert name in told(result)
    assert not list(tmp_path.parent.rglob("evil.yaml"))
    assert office.state() == before


def test_markup_in_names_is_text_wherever_it_goes(office: Office) -> None:
    markup = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    escaped = markup.replace("<", "&lt;").replace(">", "&gt;")
    changes = ('name="审查" policy:name-en="Review"', f'name="{escaped}" policy:name-en="{escaped}"')
    [made] = office.deploy(sound_but("process.bpmn", changed(*changes)))
    case = office.start(subject=markup)
    item = office.item(case, "review")
    listed = CliRunner().invoke(main, ["--database", office.url, "inbox", "登记员", "--json"])
    [row] = json.loads(listed.stdout)
    assert (row["id"], row["name_zh"], row["title"]) == (item, markup, markup)
    picture = draw(made.diagram, {}, "zh", title=markup)
    assert "<script" not in picture and "<img" not in picture
    assert office.sound()


# Answers.

DEEP: Any = "x"
for _ in range(300):
    DEEP = [DEEP]
ANSWERS_REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "missing": ({"subject": None}, "subject"),
    "missing where another answer asks for it": ({"secret_level": "secret"}, "paper_no"),
    "of the wrong type": ({"amount_fen": "three"}, "amount_fen"),
    "a truth for a number": ({"amount_fen": True}, "amount_fen"),
    "a list for a text": ({"subject": ["a"]}, "subject"),
    "a record for a text": ({"subject": {"a": 1}}, "subject"),
    "a text for a table": ({"parties": "甲"}, "parties"),
    "below its range": ({"amount_fen": 0}, "amount_fen"),
    "above its range": ({"amount_fen": 10_000_001}, "amount_fen"),
    "far above any range": ({"amount_fen": 10**400}, "amount_fen"),
    "not of its pattern": ({"phone": "call me"}, "phone"),
    "of a hidden field": ({"paper_no": "密-1"}, "paper_no"),
    "of an unknown field": ({"colour": "red"}, "colour"),
    "of an unknown field that looks like a tag": ({"$person": "p-1"}, "$person"),
    "of an unknown column": ({"parties": [{"name": "甲", "colour": "red"}]}, "parties"),
    "of an unknown choice": ({"secret_level": "very"}, "secret_level"),
    "too long": ({"subject": "长" * 100_000}, "subject"),
    "nested endlessly": ({"subject": DEEP}, "subject"),
    "with a zero byte": ({"subject": "a\0b"}, "subject"),
    "with half a letter": ({"subject": "a\ud800b"}, "subject"),
    "too many rows": ({"parties": [{"name": "甲"}] * 501}, "parties"),
    "no rows": ({"parties": []}, "parties"),
}


@pytest.mark.parametrize("name", ANSWERS_REFUSED)
def test_an_answer_is_refused_at_its_field_and_nothing_changes(office: Office, name: str, tmp_path: Path) -> None:
    change, field = ANSWERS_REFUSED[name]
    answer = {**ANSWERS["apply"], **change}
    case = office.start()
    office.do(case, "review", "登记员", decision="return", reasons="补正")
    task = office.item(case, "apply")
    before = office.state()
    for verb, what in ((cases.start, "permit"), (cases.complete, task)):
        refusal = office.refused("甲", verb, what, answer)
        assert isinstance(refusal, Invalid)
        assert {problem.path.partition("[")[0].partition(".")[0] for problem in refusal.problems} == {field}
        assert all(len(str(problem.text)) < 1_000 for problem in refusal.problems)
    (tmp_path / "a.json").write_text(json.dumps(answer), encoding="utf-8")
    for command in (["case", "start", "permit"], ["task", "complete", task]):
        arguments = ["--database", office.url, *command, "--by", "甲", "--with", str(tmp_path / "a.json")]
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code in (1, 2), result.output
        assert result.exit_code == 2 or field in told(result)
    assert office.state() == before


def test_an_answer_for_somebody_elses_item_or_one_that_is_done_is_refused(office: Office, tmp_path: Path) -> None:
    case = office.start()
    task = office.item(case, "review")
    (tmp_path / "a.json").write_text(json.dumps(ANSWERS["review"]), encoding="utf-8")

    def by(name: str) -> Result:
        arguments = ["task", "complete", task, "--by", name, "--with", str(tmp_path / "a.json")]
        return CliRunner().invoke(main, ["--database", office.url, *arguments])

    before = office.state()
    for number, name in enumerate(("甲", "复核员", "路人"), 1):
        assert isinstance(office.refused(name, cases.complete, task, ANSWERS["review"]), NotYours)
        assert attempt_told(office, case)[0] == office.who[name]
        result = by(name)
        assert (result.exit_code, name in told(result)) == (1, True)
        events = before["counts"]["event"] + 2 * number
        assert office.state()["counts"] == before["counts"] | {"event": events}
    office.do(case, "review", "登记员")
    after = office.state()["counts"]
    assert isinstance(office.refused("登记员", cases.complete, task, ANSWERS["review"]), AlreadyDone)
    result = by("登记员")
    assert result.exit_code == 1 and "already" in told(result)
    assert office.state()["counts"] == after | {"event": after["event"] + 2}
    assert office.sound()


UPLOADS = {
    "a program named .pdf": ("a.pdf", b"MZ\x90\x00" + b"\0" * 100),
    "a picture named .pdf": ("a.pdf", PNG),
    "a page named .txt": ("a.txt", b"<html><script>alert(1)</script></html>"),
    "a drawing with a script": ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
    "a script": ("a.sh", b"#!/bin/sh\nrm -rf /\n"),
    "nothing": ("a.pdf", b""),
    "an archive": ("a.zip", b"PK\x05\x06" + b"\0" * 18),
    "too large": ("a.pdf", b"%PDF-1.4\n" + b"0" * 20_000_001),
    "no name": ("", b"%PDF-1.4\n"),
    "a name of dots": ("../..", b"%PDF-1.4\n"),
}


@pytest.mark.parametrize("name", UPLOADS)
def test_an_upload_that_is_not_what_it_says_is_refused(new_office: NewOffice, name: str) -> None:
    office = new_office("sqlite")
    case = office.start()
    before = office.state()
    file, data = UPLOADS[name]
    assert isinstance(office.refused("登记员", items.attach, case, file, data), Unusable)
    answer = {**ANSWERS["apply"], "plan": {"file": file, "data": data}}
    assert isinstance(office.refused("甲", cases.start, "permit", answer), Refusal)
    assert office.state() == before


@pytest.mark.parametrize(
    "upload", [{"file": "a.pdf"}, {"file": "a.pdf", "data": "text"}, {"data": b"%PDF-"}, "a.pdf", 7]
)
def test_a_file_without_content_is_refused(office: Office, upload: Any) -> None:
    before = office.state()
    assert isinstance(office.refused("甲", cases.start, "permit", {**ANSWERS["apply"], "plan": upload}), Refusal)
    assert office.state() == before


# Texts that are not answers.


@pytest.mark.parametrize(
    "words", ["a\0b", "a\ud800b", "长" * 1_000_000], ids=["a zero byte", "half a letter", "endless"]
)
def test_remarks_and_reasons_that_cannot_be_kept_are_refused(office: Office, words: str) -> None:
    case = office.start()
    task = office.item(case, "review")
    office.act("登记员", items.claim, task)
    before = office.state()
    for name, verb, arguments in (
        ("登记员", items.comment, (case, words)),
        ("登记员", items.reassign, (task, office.who["登记员二"], words)),
        ("甲", cases.withdraw, (case, {"reason": words})),
    ):
        assert isinstance(office.refused(name, verb, *arguments), Unusable)
        assert office.state() == before
    for recuse in ({"case": case}, {"party": "某公司"}):
        with pytest.raises(Unusable), office.database.work(office.who["登记员"]) as work:
            people.recuse(work, office.who["登记员"], words, **recuse)
    with pytest.raises(Unusable), office.database.work(SYSTEM) as work:
        people.add(work, words, words)
    assert office.state() == before


@pytest.mark.parametrize("identity", ["x\0y", "x\ud800y", "' OR 1=1 --", "%", "../..", "x" * 100_000])
def test_ids_that_are_none_name_nothing(office: Office, identity: str) -> None:
    office.start()
    before = office.state()
    for verb, arguments in (
        (cases.complete, (identity, {})),
        (items.claim, (f"{identity}.1",)),
        (cases.send, (identity, "withdraw", {})),
        (items.comment, (identity, "x")),
        (cases.start, (identity, {})),
    ):
        # What a database cannot even look for is unusable.
        assert isinstance(office.refused("甲", verb, *arguments), NotFound | Unusable)
    assert office.state() == before
    with pytest.raises((NotFound, Unusable)), office.database.look(SYSTEM) as work:
        definitions.current(work, identity)
