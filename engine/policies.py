"""Policy texts (政策文件): imported version by version, hashed, numbered by article; and what is quoted from them.

The texts are no part of the product: an institution imports its own copies. A quote beside a rule is compared with the
imported text word for word, blanks, emphasis and the width of signs apart.
"""

from __future__ import annotations

import functools
import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from engine.errors import NotFound, Unusable
from engine.library import Library
from engine.model import PolicyText
from engine.trail.record import POLICY, tell
from engine.work import Work
from forms.owned_yaml import load
from forms.words import Text

KINDS = ("law", "policy", "draft")
MOST_BYTES = 5_000_000
ARTICLE = re.compile(
    r"^\W*(第[零一二三四五六七八九十百]+条|[一二三四五六七八九十]+、|[（(][一二三四五六七八九十]+[）)])"
)


@dataclass(frozen=True, slots=True)
class Source:
    """A policy text that processes cite: its code, whether it is law, policy or a draft, and its name."""

    code: str
    kind: str
    name: Text


@dataclass(frozen=True, slots=True)
class Cited:
    """One citation of a ``basis``: which text and article, and what is quoted from there."""

    said: str
    source: Source | None
    article: str
    quote: str

    @property
    def guidance(self) -> bool:
        """Whether it is only a draft: guidance, never a guard."""
        return self.source is not None and self.source.kind == "draft"


def sources() -> Mapping[str, Source]:
    """The texts that the library cites, by their codes."""
    return _sources(Library.standing())


@functools.lru_cache(maxsize=4)
def _sources(library: Library) -> Mapping[str, Source]:
    rows = _rows(library, "policies.yaml")
    return {
        str(row["code"]): Source(str(row["code"]), str(row["kind"]), Text(str(row["zh"]), str(row["en"])))
        for row in rows
    }


@functools.lru_cache(maxsize=4)
def _quotes(library: Library) -> Mapping[str, str]:
    return {str(row["of"]): str(row["quote"]) for row in _rows(library, "quotes.yaml")}


def _rows(library: Library, name: str) -> list[Any]:
    path = library.bpmn / name
    found = load(path.read_text("utf-8"), name) if path.exists() else []
    return found if isinstance(found, list) else []


def quotes() -> Mapping[str, str]:
    """What the library quotes, by citation."""
    return _quotes(Library.standing())


def cited(basis: str | None) -> list[Cited]:
    """The citations of a ``basis`` (they stand between ；), each with the longest quote that fits it."""
    found = []
    for said in _citations(basis or ""):
        code, _, rest = said.partition(" ")
        fitting = [of for of in quotes() if said == of or said.startswith(of)]
        quote = quotes()[max(fitting, key=len)] if fitting else ""
        found.append(Cited(said, sources().get(code), rest.split(" ")[0], quote))
    return found


def _citations(basis: str) -> Iterator[str]:
    """Each citation of a basis; “003 第十三条、第十九条” are two of one text."""
    for part in re.split(r"[；;]", basis):
        first, *others = re.split(r"、(?=第|§)", part.strip())
        code = first.partition(" ")[0]
        if first:
            yield first
        yield from (f"{code} {each}" for each in others)


def is_guidance(basis: str | None) -> bool:
    """Whether a basis rests on drafts alone."""
    found = cited(basis)
    return bool(found) and all(each.guidance for each in found)


# Imported texts.


def plain(text: str) -> str:
    """A text as it is compared: without blanks, emphasis and bullets, signs in one width."""
    narrow = unicodedata.normalize("NFKC", text).translate(str.maketrans("“”‘’", "\"\"''"))
    return re.sub(r"[\s*#●\-]", "", narrow)


def import_text(work: Work, code: str, name: str, content: bytes) -> tuple[str, list[str]]:
    """Keep a new version of a policy text; gives its SHA-256 and the citations whose quotes do not stand in it.

    The same text again makes no new version. Unusable: it is no UTF-8 text, too large, or its code is not listed.
    """
    if code not in sources():
        known = "、".join(sources())
        raise Unusable(
            f"没有编号为 {code} 的政策文件（有：{known}）：请先写入 policies.yaml",
            f"no policy text has the code {code} (there are: {known}); list it in policies.yaml first",
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unusable(f"“{name}”不是 UTF-8 文字", f"{name!r} is not UTF-8 text") from error
    if not 0 < len(content) <= MOST_BYTES:
        raise Unusable(f"“{name}”是空的或过大", f"{name!r} is empty or too large")
    digest = hashlib.sha256(text.encode()).hexdigest()
    last = newest(work, code)
    if last is None or last["sha256"] != digest:
        number = 1 + work.db.execute(select(func.count()).where(PolicyText.code == code)).scalar_one()
        row = {"code": code, "number": number, "name": name, "sha256": digest, "content": text}
        work.add(PolicyText, {**row, "by": work.actor, "at": work.now})
        tell(work, POLICY, "policy.imported", {"code": code, "number": number, "sha256": digest})
        work.database.caches.pop("policies", None)
    return digest, misquoted(text, code)


def newest(work: Work, code: str) -> dict[str, Any] | None:
    """The newest version of a text, or None."""
    query = select(*PolicyText.__table__.columns).where(PolicyText.code == code).order_by(PolicyText.number.desc())
    return work.row(query.limit(1))


def imported(work: Work) -> list[dict[str, Any]]:
    """The newest version of every imported text, without its content."""
    columns = [each for each in PolicyText.__table__.columns if each.name != "content"]
    last = select(PolicyText.code, func.max(PolicyText.number).label("number")).group_by(PolicyText.code).subquery()
    query = select(*columns).join(last, (last.c.code == PolicyText.code) & (last.c.number == PolicyText.number))
    return work.rows(query.order_by(PolicyText.code))


def misquoted(text: str, code: str) -> list[str]:
    """The citations of this text whose quotes do not stand in it."""
    whole = plain(text)
    return [of for of, quote in quotes().items() if of.split(" ")[0] == code and plain(quote) not in whole]


def articles(text: str) -> list[tuple[str, str]]:
    """A text by its articles: pairs of number (empty before the first) and text, in order."""
    found: list[tuple[str, list[str]]] = [("", [])]
    for line in text.splitlines():
        begins = ARTICLE.match(line)
        if begins:
            found.append((begins[1].rstrip("、"), []))
        found[-1][1].append(line)
    return [(number, "\n".join(lines).strip()) for number, lines in found if any(line.strip() for line in lines)]


def text_of(work: Work, digest: str) -> str:
    """The content of an imported text by its SHA-256. NotFound: there is none."""
    found = work.db.execute(select(PolicyText.content).where(PolicyText.sha256 == digest).limit(1)).scalar_one_or_none()
    if found is None:
        raise NotFound("没有导入过这份政策文件", "this policy text was not imported")
    return str(found)


def told(work: Work, basis: str | None) -> dict[str, Any]:
    """What an event tells of the texts its step rests on: nothing while none of them is imported."""
    found = in_force(work, [basis] if basis else [])
    return {"policy": found} if found else {}


def in_force(work: Work, basis: Iterable[str]) -> list[dict[str, str]]:
    """The imported texts that these bases cite, as an event tells them: code, article and the hash of the text."""
    if "policies" not in work.database.caches:
        work.database.caches["policies"] = {row["code"]: row["sha256"] for row in imported(work)}
    known: Mapping[str, str] = work.database.caches["policies"]
    found = [each for one in basis for each in cited(one) if each.source is not None and each.source.code in known]
    return [
        {"code": each.source.code, "article": each.article, "sha256": known[each.source.code]}
        for each in found
        if each.source is not None
    ]
