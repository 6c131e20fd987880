"""A reader of the pages, for their tests: goes to them as a browser without script does, and proof-reads every one.

What makes a page wrong is in ``flaws``; each kind of flaw is tried in test_web_reader.py.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from tests.office import Office
from webui import create_app

SECRET = "only-for-tests-" * 3
UNLABELLED = {"hidden", "submit", "button"}

Upload = tuple[bytes, str]
"""The bytes and the name of a file."""


def parsed(text: str) -> tuple[Element, list[str]]:
    """The tree of an HTML page, and what the parser had to put right in it."""
    parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("etree"), namespaceHTMLElements=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # html5lib is about to forget a tree of its own that is not used here
        tree = parser.parse(text)
    return tree, [f"line {place[0]}: {name} {about}" for place, name, about in parser.errors]


def words(element: Element) -> str:
    """The text in an element, as one reads it."""
    return " ".join("".join(element.itertext()).split())


def flaws(text: str) -> list[str]:
    """Everything that is wrong with a page, whatever it is about."""
    return flaws_in(*parsed(text))


def flaws_in(tree: Element, found: list[str]) -> list[str]:
    """The same of a page that is parsed: its tree, and what had to be put right in it."""
    every = list(tree.iter())
    elements = [each for each in every if not callable(each.tag)]  # a comment's tag is a function
    return [*found, *_frame(tree), *_ids(elements), *_scripts(elements), *_forms(tree), *_tables(tree)]


def _frame(tree: Element) -> Iterator[str]:
    headings = [words(each) for each in tree.iter("h1")]
    title = words(next(tree.iter("title"), Element("title")))
    if len(headings) != 1:
        yield f"there are {len(headings)} h1"
    elif not headings[0] or headings[0] not in title:
        yield f"the h1 {headings[0]!r} is not in the title {title!r}"
    if tree.get("lang") not in {"zh-CN", "en"}:
        yield f"the language is {tree.get('lang')!r}"
    for link in tree.iter("a"):
        if not link.get("href"):
            yield f"the link {words(link)!r} leads nowhere"
        elif not words(link):
            yield f"the link to {link.get('href')!r} says nothing"


def _ids(elements: Sequence[Element]) -> Iterator[str]:
    ids = [each.get("id", "") for each in elements if each.get("id") is not None]
    yield from (f"the id {one!r} is there twice" for one in sorted({one for one in ids if ids.count(one) > 1}))
    for each in elements:
        named = [
            each.get("for", ""),
            *each.get("aria-describedby", "").split(),
            *each.get("aria-labelledby", "").split(),
        ]
        if each.tag == "a" and each.get("href", "").startswith("#"):
            named.append(each.get("href", "")[1:])
        yield from (f"{each.tag} refers to {name!r}, which is not there" for name in named if name and name not in ids)


def _scripts(elements: Sequence[Element]) -> Iterator[str]:
    for each in elements:
        tag = each.tag.rpartition("}")[2]
        if tag == "style" or (tag == "script" and not each.get("src")):
            yield f"there is an inline {tag}"
        for name in each.attrib:
            if name == "style" or name.startswith("on"):
                yield f"{tag} has the attribute {name}"
        if each.get("href", "").lower().startswith(("javascript:", "data:")):
            yield f"{tag} leads to {each.get('href')!r}"


def _forms(tree: Element) -> Iterator[str]:
    labelled = {each.get("for") for each in tree.iter("label")}
    wrapped = {id(inner) for each in tree.iter("label") for inner in each.iter()}
    for each in (*tree.iter("input"), *tree.iter("select"), *tree.iter("textarea")):
        known = id(each) in wrapped or each.get("id") in labelled or each.get("aria-label")
        if each.get("type", "text") not in UNLABELLED and not known:
            yield f"the field {each.get('name')!r} has no label"
    for each in tree.iter("button"):
        if not words(each):
            yield "a button says nothing"
    for each in tree.iter("form"):
        if not each.get("action") or each.get("method") not in {"get", "post"}:
            yield "a form lacks action or method"
        uploads = any(one.get("type") == "file" for one in each.iter("input"))
        if uploads and each.get("enctype") != "multipart/form-data":
            yield "a form with a file is not sent as multipart"


def _tables(tree: Element) -> Iterator[str]:
    for table in tree.iter("table"):
        heads = list(table.iter("th"))
        if not heads:
            yield "a table has no headers"
        yield from (f"the header {words(head)!r} has no scope" for head in heads if not head.get("scope"))


@dataclass(slots=True)
class Seen:
    """A page as it came: the answer to the request, and its tree."""

    response: TestResponse
    tree: Element

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def text(self) -> str:
        """All there is to read."""
        return words(self.tree)

    @property
    def heading(self) -> str:
        return words(next(self.tree.iter("h1")))

    def links(self) -> dict[str, str]:
        """Where the links lead, by what they say."""
        return {words(each): each.get("href", "") for each in self.tree.iter("a")}

    def problems(self) -> list[str]:
        """What is said to be wrong."""
        return [words(each) for each in self.tree.iter() if "problems" in each.get("class", "").split()]

    def form(self, action: str = "") -> Element:
        """The form that is sent to an address ending so; without one, the one that is filled in."""
        found = [
            each
            for each in self.tree.iter("form")
            if (each.get("action", "").endswith(action) if action else each.get("data-check"))
        ]
        assert len(found) == 1, f"there are {len(found)} forms for {action or 'filling in'}"
        return found[0]

    def fields(self, action: str = "") -> MultiDict[str, Any]:
        """What a browser would send of a form as it stands."""
        return MultiDict(list(_sent(self.form(action))))


def _sent(form: Element) -> Iterator[tuple[str, str]]:
    for each in form.iter():
        name, kind = each.get("name"), each.get("type", "text")
        if not name:
            continue
        if each.tag == "input" and kind not in {"file", "submit"}:
            if kind not in {"checkbox", "radio"} or each.get("checked") is not None:
                yield name, each.get("value", "on" if kind == "checkbox" else "")
        elif each.tag == "textarea":
            yield name, re.sub(r"^\n", "", each.text or "")
        elif each.tag == "select":
            options = list(each.iter("option"))
            chosen = [one for one in options if one.get("selected") is not None] or options[:1]
            yield from ((name, one.get("value", "")) for one in chosen)


@dataclass(slots=True)
class Reader:
    """Somebody at a browser without script. Every page that comes is proof-read."""

    app: Flask
    cookies: Any = field(init=False)

    def __post_init__(self) -> None:
        self.cookies = self.app.test_client()

    def get(self, path: str, *, status: int = 200) -> Seen:
        """Go to a page, following where it sends one."""
        return self._read(self.cookies.get(path, follow_redirects=True), status)

    def post(self, path: str, data: Mapping[str, Any] | None = None, *, status: int = 200, **more: Any) -> Seen:
        """Send something, and go where one is sent then."""
        return self._read(self.cookies.post(path, data=data, follow_redirects=True, **more), status)

    def sign_in(self, person: str) -> Reader:
        """Become one of the people of a demonstration."""
        assert self.cookies.post("/session", data={"person": person}).status_code == 303
        return self

    def submit(
        self,
        seen: Seen,
        changes: Mapping[str, Any] | None = None,
        *,
        to: str = "",
        action: str = "",
        status: int = 200,
        files: Mapping[str, Upload | Sequence[Upload]] | None = None,
    ) -> Seen:
        """Fill in a form and send it, ``to`` the address of another of its buttons. None takes a field out."""
        data = seen.fields(action)
        for name, value in (changes or {}).items():
            data.poplist(name)
            if value is not None:
                data.setlist(name, value if isinstance(value, list) else [value])
        for name, uploads in (files or {}).items():
            listed = [uploads] if isinstance(uploads, tuple) else uploads
            data.setlist(name, [(io.BytesIO(content), filename) for content, filename in listed])
        target = to or seen.form(action).get("action", "")
        return self.post(target, data, status=status, content_type="multipart/form-data")

    def _read(self, response: TestResponse, status: int) -> Seen:
        text = response.get_data(as_text=True)
        for each in (*response.history, response):
            each.request.input_stream.close()  # a large body is a temporary file
        tree, found = parsed(text)
        assert response.status_code == status, f"{response.request.path}: {response.status}\n{words(tree)[-400:]}"
        assert flaws_in(tree, found) == []
        return Seen(response, tree)


class Compiled(BytecodeCache):
    """The templates as one application has compiled them, for all others of this run."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take what is kept of a template, if it still says the same."""
        if known := self.kept.get((bucket.key, bucket.checksum)):
            bucket.bytecode_from_string(known)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it."""
        self.kept[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


COMPILED = Compiled()


def app_of(office: Office, **settings: Any) -> Flask:
    """The pages over an office; by default as a demonstration, where anybody can be anybody."""
    app = create_app(office.database, **{"secret": SECRET, "demo": True, **settings})
    app.jinja_env.bytecode_cache = COMPILED
    return app


def reader_of(office: Office, name: str) -> Reader:
    """Somebody of the office at the browser."""
    return Reader(app_of(office)).sign_in(office.who[name])
