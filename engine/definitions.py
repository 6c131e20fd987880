"""Definitions: deploying what passes the gate, immutable versions, and the one in force, read once and kept."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, insert, select

from bpmn.diagram import Diagram, Element
from bpmn.surroundings import ProcessSignature, signature
from engine import bounded, calendar, gate, parameter_sets, plugged, start_events
from engine.bounded import Judged
from engine.errors import NotFound
from engine.gate import Contents, read_package
from engine.library import Library, Package, Vocabulary
from engine.model import Definition, DefinitionFile, table
from engine.privacy import discreet, private_names, reads_private
from engine.runtime.builder import Model
from engine.trail.record import DEFINITIONS, tell
from engine.work import Work
from forms.expressions import Expression, compile_expression
from forms.form import Form
from forms.values import Value
from forms.words import Finding, Language, Text, Unfit

READ: dict[str, Contents] = {}
"""What packages turned out to hold, by their hashes: they are read once in a process, and never change."""
MOST_READ = 200


@dataclass(frozen=True, slots=True)
class Deployed:
    """One version in force: everything a case on it needs, its called processes included.

    ``private`` are the names that hold what is personal or secret: never in the trail in clear.
    """

    id: str
    process: str
    version: int
    sha256: str
    contents: Mapping[str, Contents]
    model: Model
    private: frozenset[str]

    @property
    def diagram(self) -> Diagram:
        """The diagram of the process itself."""
        return self.contents[self.process].diagram

    @property
    def title(self) -> Expression | None:
        """What its cases are called after (``policy:case-title``); None: as the process is.

        A title is read far beyond its case, so one that is made from something personal or secret is none.
        """
        source = self.diagram.process.policy.get("case-title")
        title = compile_expression(source) if source else None
        return None if title is None or reads_private(title, self.private) else title

    def element(self, process: str, element: str) -> Element:
        """An element of this process or of one it calls."""
        return self.contents[process].diagram.elements[element]

    def form(self, process: str, element: str) -> Form:
        """The form of a user task or message."""
        at = self.element(process, element)
        return self.contents[process].forms[at.policy.get("form", at.id)]


def signatures(work: Work) -> dict[str, ProcessSignature]:
    """What the processes in force take and give when they are called, and which they call."""
    return {row.process: signature(deployed(work, row.id).diagram) for row in in_force(work)}


def judged(
    work: Work, packages: Sequence[Package], vocabulary: Vocabulary, language: Language = "zh"
) -> list[Judged]:
    """What the gate says of packages that are to be deployed together, beside the processes in force.

    It is asked in a process of its own and its answer is remembered: ask before the transaction that deploys, which
    would keep everybody waiting for the answer otherwise.
    """
    values, later = values_by_day(work, vocabulary)
    known, facts = signatures(work), vocabulary.facts
    drafts = vocabulary.drafts
    return bounded.judge(packages, vocabulary.roles, known, language, values, facts, later=later, drafts=drafts)


def values_by_day(work: Work, vocabulary: Vocabulary) -> tuple[dict[str, Value], dict[str, dict[str, Value]]]:
    """The values of the parameters today, and those adopted for later days; as shipped what no set has yet."""
    shipped, sets = vocabulary.values, parameter_sets.standing(work)
    later = {each.effective_from.isoformat(): {**shipped, **each.values} for each in sets[1:]}
    return ({**shipped, **sets[0].values} if sets else shipped), later


def check_package(
    work: Work, package: Package, vocabulary: Vocabulary, beside: Mapping[str, ProcessSignature] | None = None
) -> tuple[Contents | None, list[Finding]]:
    """What the gate says of a package, asked in this process: only for one that has passed it before.

    ``beside`` are processes that are deployed together with it: it may start cases of those that are yet to come.
    """
    values, later = values_by_day(work, vocabulary)
    known, facts = {**(beside or {}), **signatures(work)}, vocabulary.facts
    return gate.check_package(
        package,
        vocabulary.roles,
        known,
        values,
        facts,
        later=later,
        operations=plugged.specs(),
        drafts=vocabulary.drafts,
    )


def deploy(work: Work, package: Package, vocabulary: Vocabulary) -> Deployed:
    """Deploy a package as the next version of its process; the same files again are the version they already are.

    Raises ``Unfit`` with all findings. Processes it calls must be deployed before; their versions in force now are
    fixed for good.
    """
    known = work.db.execute(select(Definition.id).where(Definition.sha256 == package.sha256).limit(1))
    # What is deployed already was judged then.
    parameter_sets.seed_shipped(work, vocabulary.values)
    if known.scalar_one_or_none() is None:
        _refuse_unfit(judged(work, [package], vocabulary))
    return _deploy(work, package, vocabulary)


def deploy_together(work: Work, packages: Iterable[Package], vocabulary: Vocabulary) -> list[Deployed]:
    """Deploy packages that may call each other, called ones first. Raises ``Unfit`` with the findings of all."""
    packages = list(packages)
    parameter_sets.seed_shipped(work, vocabulary.values)
    answers = judged(work, packages, vocabulary)
    _refuse_unfit(answers)
    calls = {each.process or "": each.signature or ProcessSignature() for each in answers}
    by_process = {each.process or "": package for each, package in zip(answers, packages, strict=True)}
    return [_deploy(work, by_process[name], vocabulary, calls) for name in called_first(calls)]


def _refuse_unfit(answers: Iterable[Judged]) -> None:
    answers = list(answers)
    if not all(each.ok for each in answers):
        raise Unfit([finding for each in answers for finding in each.findings])


def _deploy(
    work: Work, package: Package, vocabulary: Vocabulary, beside: Mapping[str, ProcessSignature] | None = None
) -> Deployed:
    """Read a package that was judged, here where it will run, and store it."""
    if not work.database.sqlite:
        # Two acts must not make one version together. On SQLite only one act writes at a time anyway.
        work.db.exec_driver_sql("LOCK TABLE definition IN SHARE ROW EXCLUSIVE MODE")
    # Nor may a table come into force while values are adopted that it has not been judged with.
    parameter_sets.hold(work)
    known = {row.process: row.id for row in in_force(work)}
    contents, findings = check_package(work, package, vocabulary, beside)
    if contents is None or any(finding.severity == "error" for finding in findings):
        raise Unfit(findings)
    process = contents.diagram.process.id
    latest = work.db.execute(
        select(Definition.id, Definition.version, Definition.sha256, Definition.uses)
        .where(Definition.process == process)
        .order_by(Definition.version.desc())
        .limit(1)
    ).one_or_none()
    called = {element.called for element in contents.diagram.elements.values() if element.called}
    uses = {name: known[name] for name in sorted(called)}
    _refuse_stale_calls(work, contents.diagram, uses)
    if latest and latest.sha256 == package.sha256 and json.loads(latest.uses) == uses:
        return deployed(work, latest.id)
    identity, version = str(uuid.uuid4()), (latest.version + 1 if latest else 1)
    _store(work, package, contents.diagram, identity, version, uses)
    files = {path: hashlib.sha256(content).hexdigest() for path, content in sorted(package.files.items())}
    told = {"process": process, "version": version, "definition": identity, "sha256": package.sha256, "uses": uses}
    listed = [{"path": path, "sha256": digest} for path, digest in files.items()]
    tell(work, DEFINITIONS, "definition.deployed", {**told, "files": listed})
    start_events.settle(work, deployed(work, identity))
    return deployed(work, identity)


def _refuse_stale_calls(work: Work, diagram: Diagram, uses: Mapping[str, str]) -> None:
    """A case runs each process in one version only; calls that lead to two of them are refused."""
    versions, waiting = dict(uses), list(uses.items())
    while waiting:
        caller, identity = waiting.pop()
        below: dict[str, str] = json.loads(
            work.db.execute(select(Definition.uses).where(Definition.id == identity)).scalar_one()
        )
        for name, version in below.items():
            if versions.setdefault(name, version) == version:
                waiting.append((name, version))
                continue
            zh = f"所调用的 {caller} 使用旧版的 {name}：请先重新部署 {caller}"
            en = f"the called process {caller} uses an older version of {name}: deploy {caller} again first"
            raise Unfit([Finding("stale-call", diagram.file, diagram.process.line, diagram.process.id, Text(zh, en))])


def _store(
    work: Work, package: Package, diagram: Diagram, identity: str, version: int, uses: Mapping[str, str]
) -> None:
    process = diagram.process
    work.db.execute(
        insert(Definition).values(
            id=identity,
            process=process.id,
            version=version,
            sha256=package.sha256,
            name_zh=process.name,
            name_en=process.policy.get("name-en") or process.policy.get("title-en", process.name),
            kind=process.policy.get("kind", "main"),
            uses=json.dumps(uses),
            deployed_by=work.actor,
            deployed_at=work.now,
        )
    )
    rows = [
        {"definition": identity, "path": path, "sha256": hashlib.sha256(content).hexdigest(), "content": content}
        for path, content in sorted(package.files.items())
    ]
    work.db.execute(insert(DefinitionFile), rows)


def deploy_library(work: Work, library: Library | None = None) -> list[Deployed]:
    """Seed the calendar and the shipped parameters, and deploy every process of the library, called ones first."""
    library = library or Library.standing()
    vocabulary = library.vocabulary()
    calendar.seed(work)
    return deploy_together(work, [library.package(name) for name in library.processes()], vocabulary)


def called_first(signatures: Mapping[str, ProcessSignature]) -> list[str]:
    """The processes in an order in which each comes after those it calls; none calls itself: the gate sees to it."""
    order: dict[str, None] = {}
    while len(order) < len(signatures):
        ready = [name for name in sorted(signatures) if name not in order]
        order |= dict.fromkeys(name for name in ready if signatures[name].calls & signatures.keys() <= order.keys())
    return list(order)


def in_force(work: Work) -> list[Definition]:
    """The newest version of every process, as rows, by process id."""
    newest = select(Definition.process, func.max(Definition.version).label("version")).group_by(Definition.process)
    top = newest.subquery()
    query = select(*Definition.__table__.columns).join(
        top, (top.c.process == Definition.process) & (top.c.version == Definition.version)
    )
    return list(work.db.execute(query.order_by(Definition.process)))  # type: ignore[arg-type]


def versions(work: Work, process: str) -> list[dict[str, Any]]:
    """The deployed versions of a process, newest first."""
    query = select(*table(Definition).c).where(Definition.process == process).order_by(Definition.version.desc())
    found = work.rows(query)
    if not found:
        raise NotFound(f"没有部署过流程“{process}”", f"no process {process!r} is deployed")
    return found


def current(work: Work, process: str) -> Deployed:
    """The version of a process that new cases start on."""
    query = select(Definition.id).where(Definition.process == process).order_by(Definition.version.desc()).limit(1)
    identity = work.db.execute(query).scalar_one_or_none()
    if identity is None:
        raise NotFound(f"没有部署过流程“{process}”", f"no process {process!r} is deployed")
    return deployed(work, identity)


def deployed(work: Work, identity: str) -> Deployed:
    """A deployed version by its id; read from the database once, since it never changes."""
    key = f"definition/{identity}"
    if key not in work.database.caches:
        work.database.caches[key] = _load(work, identity)
    found: Deployed = work.database.caches[key]
    return found


def _load(work: Work, identity: str) -> Deployed:
    row = work.db.execute(select(*Definition.__table__.columns).where(Definition.id == identity)).one_or_none()
    if row is None:
        raise NotFound(f"没有编号为 {identity} 的流程版本", f"there is no definition {identity}")
    everything = {row.process: _contents(work, row)}
    for called in json.loads(row.uses).values():
        everything.update(deployed(work, called).contents)
    diagrams = {name: each.diagram for name, each in everything.items()}
    private = private_names(everything)
    tables = {name: discreet(each.tables, private) for name, each in everything.items()}
    model = Model(row.process, diagrams, tables)
    return Deployed(row.id, row.process, row.version, row.sha256, everything, model, private)


def _contents(work: Work, row: Any) -> Contents:
    """What the files of a version hold: the same files hold the same, whatever version or database they are in."""
    known = READ.get(row.sha256)
    if known is not None:
        return known
    contents, findings = read_package(package_of(work, row.id))
    if contents is None or any(finding.severity == "error" for finding in findings):
        raise Unfit(findings)
    if len(READ) >= MOST_READ:
        READ.clear()
    READ[row.sha256] = contents
    return contents


def package_of(work: Work, identity: str) -> Package:
    """The files of a deployed version, as they were."""
    query = select(DefinitionFile.path, DefinitionFile.content).where(DefinitionFile.definition == identity)
    return Package(identity, {row.path: row.content for row in work.db.execute(query)})
