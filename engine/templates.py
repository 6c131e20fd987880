"""Templates of documents (文书) as process owners write them, read and checked; filling them in is for ``composing``.

A template is a file ``documents/<id>.yaml`` beside the forms of its process:

    id: certificate
    title: {zh: 技术合同认定登记证明, en: Certificate of registration}
    basis: "002 §六"                                    # the article it rests on
    name: "登记证明（{registration_no}）"                # the name of the file, without its ending
    labels:                                             # what codes are called
      type: {tech_licence: 技术许可, tech_service: 技术服务}
    blocks:                                             # from top to bottom
      - heading: 技术合同认定登记证明
      - address: "{buyer}："                            # to whom; not indented
      - paragraph: "《{contract_title}》于 {signed_on|date} 签订。"
        when: "signed_on is not None"                   # any block is left out unless this is true
      - table:                                          # every line with as many cells
          - [成交额, "{amount_fen|yuan}（大写：{amount_fen|capital}）"]
          - [合同类别, "{determined_type|label:type}"]
      - rows:                                           # one line for each record of a list
          each: "=parties"
          as: party
          columns:
            - {heading: 名称, text: "{party['name']}"}
      - sign: ["{agency}", "{today|date}"]              # at the right, one below the other
      - note: 本证明由申请人自行打印。                    # small print

Instead of ``blocks`` it may say ``word: certificate.docx``: a file beside it that is edited in Word, with the same
slots in its text (see ``word``).

Between braces stands an expression of the one expression language, with the names of the case, and after ``|`` how its
value is written: ``yuan`` 1,234.50 元, ``capital`` 壹仟贰佰叁拾肆元伍角, ``date`` 2026年3月2日, ``label:type`` what
``labels`` call a code (one they do not name stays as it is). The members of a list are joined by 、, an empty value
leaves nothing. ``{{`` is a brace.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

from forms.expressions import Expression, ExpressionError, compile_expression
from forms.owned_yaml import List_, Mapping_, load
from forms.reading import Reader
from forms.words import Text, Unfit

if TYPE_CHECKING:
    from engine.word import Word

FORMATS = ("yuan", "capital", "date", "label")
KINDS = frozenset({"heading", "address", "paragraph", "note", "table", "rows", "sign"})
OPENING, CLOSING = "([{", ")]}"

Kind = Literal["heading", "address", "paragraph", "note", "table", "rows", "sign"]


@dataclass(frozen=True, slots=True)
class Slot:
    """An expression in a text, and how its value is written; ``labels`` is the list of labels it uses."""

    expression: Expression
    form: str
    labels: str = ""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A text with slots; ``line`` is where it stands in its file."""

    parts: tuple[str | Slot, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Section:
    """A block as written. ``lines`` are its phrases: one of a text, the cells of a table, the cells of one row.

    For ``rows``, ``each`` is the list, ``name`` what one of its records is called, and ``headings`` the first line.
    """

    kind: Kind
    line: int
    when: Expression | None
    lines: tuple[tuple[Phrase, ...], ...]
    each: Expression | None = None
    name: str = ""
    headings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentTemplate:
    """A template that can be filled in: its words and its blocks."""

    id: str
    title: Text
    basis: str | None
    name: Phrase
    labels: Mapping[str, Mapping[str, str]]
    sections: tuple[Section, ...]
    word_file: str | None = None
    word: Word | None = None

    @property
    def names_read(self) -> frozenset[str]:
        """The variables of a case it reads; who deploys a process can check that it brings them."""
        found = set(_names([self.name]))
        for section in self.sections:
            own = set(_names(phrase for line in section.lines for phrase in line)) - {section.name}
            found |= own.union(*(each.names for each in (section.when, section.each) if each is not None))
        for expression, brought in self.word.expressions() if self.word else ():
            found |= set(expression.names) - brought
        return frozenset(found)

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """Every expression of it."""
        conditions = [each for section in self.sections for each in (section.when, section.each) if each is not None]
        phrases = [self.name, *(phrase for section in self.sections for line in section.lines for phrase in line)]
        slots = (part.expression for each in phrases for part in each.parts if isinstance(part, Slot))
        in_word = (each for each, _ in self.word.expressions()) if self.word else ()
        return (*conditions, *slots, *in_word)


def _names(phrases: Any) -> Iterator[str]:
    for phrase in phrases:
        for part in phrase.parts:
            if isinstance(part, Slot):
                yield from part.expression.names


def read_template(text: str, file: str) -> DocumentTemplate:
    """The template in this file. Unfit, with every finding, when it cannot be used."""
    source = load(text, file)
    reader = _TemplateReader(file)
    template = reader.template(source) if isinstance(source, Mapping_) else None
    if template is None and not reader.findings:
        reader.complain("template", 0, None, "文书模板应为一组属性", "a template of a document is a mapping")
    if reader.findings or template is None:
        raise Unfit(reader.findings)
    return template


class _TemplateReader(Reader):
    """Reads one template."""

    def __init__(self, file: str) -> None:
        super().__init__(file)
        self.labels: dict[str, dict[str, str]] = {}

    def template(self, source: Mapping_) -> DocumentTemplate | None:
        self.unknown(source, frozenset({"id", "title", "basis", "name", "labels", "blocks", "word"}), None)
        stem = PurePosixPath(self.file).stem
        if source.get("id") != stem:
            self.complain(
                "id",
                source.lines.get("id", 1),
                None,
                f"id 应与文件名相同：{stem}",
                f"the id must be {stem}, as the file",
            )
        self.labels = self._labels(source)
        title = self.text(source, "title", None)
        if title is None and "title" not in source:
            self.complain("missing", source.line, None, "缺少 title", "the title is missing")
        name = self._phrase(source.get("name"), source.lines.get("name", source.line))
        blocks, word = self.mappings(source, "blocks", None), self.string(source, "word", None)
        if bool(blocks) == bool(word):
            line = source.lines.get("blocks", source.line)
            zh, en = "应有 blocks 或 word 之一", "one of blocks and word is needed"
            self.complain("missing", line, None, zh, en)
        sections = [self._section(block) for block in blocks]
        if title is None or name is None:
            return None
        basis = self.string(source, "basis", None)
        return DocumentTemplate(stem, title, basis, name, self.labels, tuple(each for each in sections if each), word)

    def _labels(self, source: Mapping_) -> dict[str, dict[str, str]]:
        given = source.get("labels", {})
        sound = isinstance(given, dict) and all(
            isinstance(group, dict) and all(isinstance(label, str) for label in group.values())
            for group in given.values()
        )
        if not sound:
            zh, en = "labels 应为：名称: {代码: 文字}", "labels are written as name: {code: words}"
            self.complain("labels", source.lines["labels"], None, zh, en)
            return {}
        return {name: dict(group) for name, group in given.items()}

    def _section(self, block: Mapping_) -> Section | None:
        kinds = KINDS & block.keys()
        self.unknown(block, KINDS | {"when"}, None)
        if len(kinds) != 1:
            zh, en = (
                f"每块应正好是其中之一：{'、'.join(sorted(KINDS))}",
                f"a block is exactly one of {', '.join(sorted(KINDS))}",
            )
            self.complain("block", block.line, None, zh, en)
            return None
        [kind] = kinds
        line, when, content = block.lines[kind], self.expression(block, "when", None), block[kind]
        if kind == "rows":
            return self._rows(content, line, when)
        if kind == "table":
            return Section("table", line, when, self._cells(content, line))
        texts = content if kind == "sign" and isinstance(content, list) else [content]
        phrases = [self._phrase(text, line) for text in texts]
        return Section(kind, line, when, tuple((phrase,) for phrase in phrases if phrase))  # type: ignore[arg-type]

    def _cells(self, content: Any, line: int) -> tuple[tuple[Phrase, ...], ...]:
        rows = content if isinstance(content, List_) else List_(line)
        widths = {len(row) if isinstance(row, list) else 0 for row in rows}
        if len(widths) != 1 or widths == {0}:
            zh, en = (
                "table 应为行的列表，各行的格数相同",
                "a table is a list of lines, each with the same number of cells",
            )
            self.complain("table", line, None, zh, en)
            return ()
        found = [[self._phrase(cell, at) for cell in row] for row, at in zip(rows, rows.lines, strict=True)]
        return tuple(tuple(cell for cell in row if cell) for row in found)

    def _rows(self, content: Any, line: int, when: Expression | None) -> Section | None:
        if not isinstance(content, Mapping_):
            self.complain("rows", line, None, "rows 应写明 each、as、columns", "rows need each, as and columns")
            return None
        self.unknown(content, frozenset({"each", "as", "columns"}), None)
        each, name = self.expression(content, "each", None), self.string(content, "as", None)
        columns = self.mappings(content, "columns", None)
        if each is None or not name or not columns:
            self.complain("rows", line, None, "rows 应写明 each、as、columns", "rows need each, as and columns")
            return None
        phrases, headings = [], []
        for column in columns:
            self.unknown(column, frozenset({"heading", "text"}), None)
            headings.append(str(column.get("heading", "")))
            phrases.append(self._phrase(column.get("text"), column.line))
        row = tuple(phrase for phrase in phrases if phrase)
        return Section("rows", line, when, (row,), each, name, tuple(headings))

    def _phrase(self, content: Any, line: int) -> Phrase | None:
        if not isinstance(content, str | int) or isinstance(content, bool):
            self.complain(
                "text",
                line,
                None,
                "此处应为文本（含花括号时加引号）",
                "a text is needed here; quote it if it has braces",
            )
            return None
        try:
            return Phrase(
                tuple(part if isinstance(part, str) else slot_of(part, self.labels) for part in split(str(content))),
                line,
            )
        except ExpressionError as error:
            self.complain("expression", line, None, error.text.zh, error.text.en)
            return None


def split(text: str) -> Iterator[str | tuple[str, str]]:
    """The plain parts of a text, and its slots as expression and format. ExpressionError where a brace is left open."""
    plain: list[str] = []
    for _, _, part in spans(text):
        if isinstance(part, str):
            plain.append(part)
            continue
        if plain:
            yield "".join(plain)
        yield part
        plain = []
    if plain:
        yield "".join(plain)


def spans(text: str) -> Iterator[tuple[int, int, str | tuple[str, str]]]:
    """The same with the places where each part begins and ends; a doubled brace is a part of its own."""
    at = 0
    while at < len(text):
        if text.startswith(("{{", "}}"), at):
            yield at, at + 2, text[at]
            at += 2
        elif text[at] == "{":
            end, bar = _slot_end(text, at + 1)
            yield at, end + 1, (text[at + 1 : bar].strip(), text[bar + 1 : end].strip())
            at = end + 1
        else:
            start = at
            while at < len(text) and text[at] != "{" and not text.startswith("}}", at):
                at += 1
            yield start, at, text[start:at]


def slot_of(part: tuple[str, str], labels: Mapping[str, Mapping[str, str]]) -> Slot:
    """A slot from its expression and format. ExpressionError: no expression, no such format, no such labels."""
    source, said = part
    form, _, named = said.partition(":")
    if form and form not in FORMATS:
        raise ExpressionError(
            Text(f"没有“{form}”这种写法：{'、'.join(FORMATS)}", f"no way of writing {form!r}: {', '.join(FORMATS)}")
        )
    if (form == "label") != (named in labels):
        raise ExpressionError(Text(f"labels 里没有“{named}”", f"labels do not hold {named!r}"))
    return Slot(compile_expression(source), form, named)


def _slot_end(text: str, start: int) -> tuple[int, int]:
    """Where the slot that begins here ends, and where its last bar stands (where there is none, the end again)."""
    depth, quote, bar = 0, "", -1
    for at in range(start, len(text)):
        sign = text[at]
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign == "}" and not depth:
            return at, bar if bar >= 0 else at
        elif sign == "|" and not depth:
            bar = at
        else:
            depth += (sign in OPENING) - (sign in CLOSING)
    raise ExpressionError(
        Text(
            f"花括号没有闭合：{text[start - 1 : start + 30]}",
            f"this brace is not closed: {text[start - 1 : start + 30]}",
        )
    )
