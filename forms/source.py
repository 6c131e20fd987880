"""The text of an expression before anything is compiled: how long, how deep and of which characters it may be."""

from __future__ import annotations

import ast
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NoReturn

from forms.operators import ExpressionError
from forms.words import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LONGEST_EXPRESSION: Final = 4_000
LONGEST_SCRIPT: Final = 20_000
DEEPEST: Final = 40

_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"")
_NUMBER = re.compile(
    r"(?:(?<![\w.])(?:0[xX][0-9a-fA-F_]+|0[bBoO][0-7_]+|[0-9][0-9_]*\.?[0-9_]*)|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?[jJ]?"
)
_REMARK = re.compile(r"^[ \t]*#.*$", re.MULTILINE)


def refuse(column: int, zh: str, en: str) -> NoReturn:
    """Refuse an expression at a column (from 1)."""
    raise ExpressionError(Text(f"第 {column} 列：{zh}", f"column {column}: {en}"))


def parse_expression(source: str) -> ast.Expression:
    """The syntax tree of one expression, its nodes still unchecked. A line break counts as a space."""
    _look(source, LONGEST_EXPRESSION)
    with _readable():
        return ast.parse(source.replace("\n", " ").replace("\r", " "), mode="eval")


def without_remarks(source: str) -> str:
    """A script without its remarks (lines that begin with #); every other line stays in its place."""
    return _REMARK.sub("", source.replace("\r\n", "\n").replace("\r", "\n"))


def said(lines: Sequence[bytes], node: ast.expr) -> str:
    """The text of a part of a script, whose lines are given as bytes."""
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    part = b"\n".join(lines[first : last + 1])
    return part[node.col_offset : len(part) - len(lines[last]) + (node.end_col_offset or 0)].decode()


def parse_script(script: str) -> ast.Module:
    """The syntax tree of a script without remarks, its statements still unchecked."""
    _look(script, LONGEST_SCRIPT)
    with _readable():
        return ast.parse(script)


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except SyntaxError as error:
        refuse(error.offset or 1, "此处不合语法", "this cannot be read as an expression")
    except (ValueError, MemoryError, RecursionError):
        refuse(1, "表达式无法读取", "the expression cannot be read")


def _look(source: str, longest: int) -> None:
    """Refuse, before Python reads it, what could make reading slow or mislead a reader."""
    if len(source) > longest:
        refuse(1, f"不得超过 {longest} 字", f"it may not exceed {longest} characters")
    if not source.strip():
        refuse(1, "表达式为空", "the expression is empty")
    depth, bare = 0, _QUOTED.sub(lambda text: "'" * len(text[0]), source)
    for column, sign in enumerate(bare, start=1):
        depth += (sign in "([{") - (sign in ")]}")
        if depth > DEEPEST:
            refuse(column, "括号嵌套过深", "brackets are nested too deeply")
        if not (sign.isascii() and (sign.isprintable() or sign in "\r\n\t")):
            refuse(column, f"文本之外不得使用字符 {sign!r}", f"the character {sign!r} may stand only inside a text")
        if sign == "#":
            refuse(column, "不得使用 #", "# is not part of the language")
    for number in _NUMBER.finditer(bare):
        after = bare[number.end() : number.end() + 1]
        if after == "_" or after.isalpha():  # Python reads it, not surely as meant, and warns on the console
            zh, en = "数字和后面的字连在一起，请加空格", "a number runs into what follows; put a space between"
            refuse(number.end() + 1, zh, en)
    if "\\" in source:
        refuse(source.index("\\") + 1, "不得使用反斜杠", "a backslash is not part of the language")
