"""Exports a case as a bundle (证据包): a zip that ``offline`` verifies alone. What people read in it is for ``report``.

The same case gives the same bytes, but for the time, the exporter, and the checkpoint that is newest by then.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from engine import definitions, documents, inbox, personal, policies
from engine.anonymity import veil
from engine.errors import NotYours
from engine.instant import INSTANT_FORMAT
from engine.model import Comment, DocumentContent
from engine.paper import printed
from engine.people import standing
from engine.trail import epochs, offline
from engine.trail.annexes.account import Account
from engine.trail.annexes.whole import annexes, written
from engine.trail.derived import ocel, xes
from engine.trail.material import Material, View
from engine.trail.offline import canonical
from engine.trail.record import log_name, tell
from engine.trail.report import Made, report
from engine.work import SYSTEM, Database, Work
from forms.words import Language

STAMP = (1980, 1, 1, 0, 0, 0)
"""The date of every file in the zip: the time of an export is in its manifest alone."""

LANGUAGES: Sequence[Language] = ("zh", "en")
"""In which the report is written; the tables are in the first."""

Steps = Callable[[str], None]
"""Hears which step of an export comes next."""


@dataclass(frozen=True, slots=True)
class Export:
    """A finished bundle: its name, its bytes, how many events of the case no epoch has sealed yet, and whether the
    signer signed it.
    """

    name: str
    data: bytes
    unsealed: int
    signed: bool


def export(
    database: Database,
    case: str,
    actor: str,
    *,
    purpose: str = "",
    view: View | None = None,
    paper: bool = False,
    told: Steps = lambda _: None,
    patience: float = epochs.PATIENCE,
) -> Export:
    """The bundle of a case, by id or number, for ``purpose``; the export is itself told in the trail.

    An epoch is asked for first, so that the newest event is sealed too; where no signer answers within ``patience``
    seconds the bundle says how much of it is not. With ``paper`` the reports are enclosed as PDF too, where that is
    possible; it takes far longer than everything else. Raises NotYours unless ``actor`` may look into every case or is
    a person exporting their own part.
    """
    view = view or View()
    told("seal")
    with database.work(actor) as work:
        row = inbox.case(work, case)
        admit(work, row, view)
        asked = epochs.request(work)
    epochs.answered(database, asked, patience)
    with database.look(actor) as work:
        told("collect")
        material = Material.of(work, row["id"], view)
        files = dict(_files(work, material, purpose, told))
        about = _about(work, material, purpose)
    if paper:
        told("paper")
        files |= _papers(files)
    manifest = _manifest(about, files)
    told("sign")
    with database.work(actor) as work:
        digest = hashlib.sha256(manifest.encode()).hexdigest()
        said = {"case": row["id"], "manifest": digest, "view": view.kind, "purpose": purpose}
        tell(work, "sys/export", "export.made", said)
        asked = epochs.request(work, manifest)
    signed = epochs.answered(database, asked, patience)
    files["manifest.json"] = manifest.encode()
    if signed and signed["envelope"]:
        files["manifest.dsse.json"] = signed["envelope"].encode()
    return Export(f"{row['number']}.evidence.zip", _zipped(files), material.unsealed, signed is not None)


def admit(work: Work, row: Mapping[str, Any], view: View) -> None:
    """Refuse whoever may not export this view of a case: NotYours."""
    if work.actor == SYSTEM or standing(work, work.actor).roles & inbox.OVERSEERS:
        return
    if veil(work, row["id"]).traces:  # whoever knows who did one act would recognise them by it in another
        raise NotYours(
            "本案有人匿名办理，轨迹会透露是谁；只有合规、纪检人员和系统管理员可以导出",
            "somebody acted in this case without giving a name, and the trail would tell who: only overseers export it",
            ("role",),
        )
    if view.person != work.actor or not inbox.may_see(work, row):
        raise NotYours(
            "只有合规、纪检人员和系统管理员可以导出整个案卷；您可以导出本人部分",
            "only compliance officers, discipline and administrators export whole cases; export your own part",
            ("role",),
        )


def _files(work: Work, material: Material, purpose: str, told: Steps) -> Iterator[tuple[str, bytes]]:
    """Every file of the bundle but its manifest, by path."""
    events = material.events
    yield "trail/events.jsonl", "".join(f"{event['body']}\n" for event in events).encode()
    told("prove")
    if material.proofs:
        yield "trail/checkpoint.txt", material.proofs.checkpoint.encode()
        yield "trail/epoch_leaves.bin", material.proofs.leaves
        yield "trail/proof.json", canonical(material.proofs.proof).encode()
        for name, stamp in material.proofs.stamps.items():
            yield f"trail/anchors/{name}.tsr", stamp
    told("enclose")
    yield from _answers(work, material)
    yield from _documents(work, material)
    for identity in material.definitions:
        package = definitions.package_of(work, identity)
        for path, content in package.files.items():
            if not path.startswith("scenarios/"):
                yield f"process/{package.sha256}/{path}", content
    for digest in sorted({each["sha256"] for body in material.bodies for each in body["data"].get("policy", [])}):
        yield f"policy/{digest}.txt", policies.text_of(work, digest).encode()
    told("report")
    yield "derived/log.xes", xes(material.as_read())
    yield "derived/ocel.json", ocel(material.as_read())
    made = Made(work.actor, work.now, purpose)
    for language in LANGUAGES:
        account = Account.of(material, language)
        parts = annexes(account)
        page = report(account, parts, made)
        yield f"report/report.{language}.html", page.encode()
        if language == LANGUAGES[0]:
            yield from written(account, parts)
    yield "verify/verify.py", Path(offline.__file__).read_bytes()
    yield "verify/README.txt", READ_ME.encode()


def _answers(work: Work, material: Material) -> Iterator[tuple[str, bytes]]:
    """What was answered, with the salts of the commitments, as far as this view shows it."""
    for row in material.shown_answers():
        stored = json.loads(row["stored"])
        yield f"answers/{row['id']}.json", canonical({"salt": row["salt"], "answer": stored}).encode()
        for ref, kept in personal.released(work, personal.references(stored)).items():
            yield f"private/{ref}.json", canonical(kept).encode()
    query = select(Comment.id, Comment.person, Comment.words, Comment.salt).where(Comment.case == material.row["id"])
    for each in work.rows(query.order_by(Comment.at, Comment.id)):
        if material.view.shows(each["person"]):
            yield f"answers/{each['id']}.json", canonical({"salt": each["salt"], "answer": each["words"]}).encode()


def _documents(work: Work, material: Material) -> Iterator[tuple[str, bytes]]:
    """The documents this view shows as they are kept; of encrypted ones also what they are, unless that was erased."""
    private = {row["sha256"]: row for row in material.documents if row["enclosed"]}
    for digest in sorted(material.shown_documents()):
        query = select(DocumentContent.content).where(DocumentContent.sha256 == digest)
        content = work.db.execute(query).scalar_one()
        yield f"attachments/{digest}", content
        if digest in private:
            row = private[digest]
            [kept] = personal.released(work, [row["sealed"]]).values()
            yield f"private/{row['sealed']}.json", canonical(kept).encode()
            yield row["enclosed"], documents.opened(work, row, content) or b""


def _papers(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The reports among these files as PDF, by path; nothing where that is not possible."""
    pages = {path: data for path, data in files.items() if path.startswith("report/")}
    made = {path.removesuffix(".html") + ".pdf": printed(data.decode()) for path, data in pages.items()}
    return {path: data for path, data in made.items() if data is not None}


def _about(work: Work, material: Material, purpose: str) -> dict[str, Any]:
    """Of which case a bundle is, for whom, when and what for."""
    return {
        "v": 1,
        "log": log_name(work),
        "stream": f"case/{material.row['id']}",
        "number": material.row["number"],
        "events": len(material.events),
        "view": material.view.kind,
        "exporter": work.actor,
        "purpose": purpose,
        "created": work.now.strftime(INSTANT_FORMAT),
    }


def _manifest(about: Mapping[str, Any], files: Mapping[str, bytes]) -> str:
    """What a bundle is, and every file in it with size and hash."""
    listed = [
        {"path": path, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for path, data in sorted(files.items())
    ]
    return str(canonical({**about, "files": listed}))


def _zipped(files: Mapping[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, STAMP)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, files[path])
    return target.getvalue()


READ_ME = """本证据包可以离线核验，只需 Python 3 的标准库，不需要网络，也不需要留痕系统：

    python3 verify.py 证据包.zip --vkey '日志公钥'

日志公钥须从证据包以外取得（本单位网站、公告、印刷件）。请使用您自己保存的 verify.py，而不是本包内的这一份；
包内的只为方便。您保存过的检查点用 --known，见证机构的公钥用 --witness。退出码：0 完好，1 有改动，2 不可读。
report/ 是供人阅读和打印的报告，tables/ 是其中各表（CSV 可用表格软件打开；tables.json 供程序读取，金额以分计）。

This bundle can be verified offline with Python 3 (standard library) alone. Take the log's key from outside the bundle,
and use your own copy of verify.py; the one enclosed is a convenience. Checkpoints you kept go with --known, keys of
witnesses with --witness. Exit code: 0 intact, 1 broken, 2 unreadable. report/ is for people, to read and to print;
tables/ has each of its tables as CSV, and all of them in tables.json for programs (amounts in fen).
"""
