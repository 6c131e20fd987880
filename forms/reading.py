"""Reads the parts of an owner's form file, and says of each thing that is wrong where it is and what to do."""

from __future__ import annotations

from typing import Any

from forms.expressions import Expression, ExpressionError, compile_expression
from forms.fields import Given
from forms.owned_yaml import List_, Mapping_
from forms.words import Finding, Text, sentence


class Reader:
    """Reads one file; ``findings`` collects all that is wrong with it."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.findings: list[Finding] = []

    def complain(self, code: str, line: int, element: str | None, zh: str, en: str) -> None:
        """Add a finding."""
        self.findings.append(Finding(code, self.file, line, element, sentence(zh, en)))

    def text(self, source: Mapping_, key: str, element: str | None) -> Text | None:
        """An optional text in both languages, ``{zh: …, en: …}``; the English may be missing."""
        value = source.get(key)
        if value is None:
            return None
        if isinstance(value, Mapping_) and set(value) <= {"zh", "en"}:
            return self.words(value, element)
        self.complain(
            "text", source.lines[key], element, f"{key} 应写作 {{zh: …, en: …}}", f"write {key} as {{zh: …, en: …}}"
        )
        return None

    def words(self, source: Mapping_, element: str | None) -> Text:
        """The ``zh`` and ``en`` of an option, a rule or a requirement."""
        zh, en = source.get("zh"), source.get("en", "")
        if isinstance(zh, str) and zh and isinstance(en, str):
            return Text(zh, en)
        self.complain(
            "text", source.line, element, "缺少中文（zh），或不是文本", "the Chinese text (zh) is missing or no text"
        )
        return Text("", "")

    def string(self, source: Mapping_, key: str, element: str | None) -> str | None:
        """An optional plain text."""
        value = source.get(key)
        if value is None or isinstance(value, str):
            return value
        self.complain("type", source.lines[key], element, f"{key} 应为文本", f"{key} must be a text; put it in quotes")
        return None

    def flag(self, source: Mapping_, key: str, element: str | None) -> bool:
        """An optional true or false."""
        value = source.get(key, False)
        if not isinstance(value, bool):
            self.complain(
                "type", source.lines[key], element, f"{key} 应为 true 或 false", f"{key} must be true or false"
            )
        return value is True

    def unknown(self, source: Mapping_, known: frozenset[str], element: str | None) -> None:
        """Complain of every key that is not known here."""
        for key in source.keys() - known:
            zh, en = f"此处没有属性 {key}；可用：", f"there is no {key} here; there are: "
            there = ", ".join(sorted(known))
            self.complain("unknown-attribute", source.lines[key], element, zh + there, en + there)

    def mappings(self, source: Mapping_, key: str, element: str | None) -> list[Mapping_]:
        """An optional list of mappings."""
        value = source.get(key)
        if value is None:
            return []
        members = value if isinstance(value, List_) else []
        found = [member for member in members if isinstance(member, Mapping_)]
        if not isinstance(value, List_) or len(found) < len(members):
            zh, en = f"{key} 应为列表，每项为一组属性", f"{key} must be a list, each member a mapping"
            self.complain("type", source.lines[key], element, zh, en)
        return found

    def count(self, source: Mapping_, key: str, element: str | None, otherwise: int, largest: int) -> int:
        """An optional whole number from 0 to ``largest``."""
        value = source.get(key, otherwise)
        if type(value) is int and 0 <= value <= largest:
            return value
        zh, en = f"{key} 应为 0 至 {largest} 的整数", f"{key} must be a whole number from 0 to {largest}"
        self.complain("type", source.lines[key], element, zh, en)
        return otherwise

    def expression(self, source: Mapping_, key: str, element: str | None) -> Expression | None:
        """An optional expression."""
        value = source.get(key)
        if value is None:
            return None
        if not isinstance(value, str):
            self.complain(
                "type", source.lines[key], element, f"{key} 应为表达式", f"{key} must be an expression in quotes"
            )
            return None
        return self._compiled(value.removeprefix("="), key, source.lines[key], element)

    def _compiled(self, source: str, key: str, line: int, element: str | None) -> Expression | None:
        try:
            return compile_expression(source)
        except ExpressionError as error:
            self.complain("expression", line, element, f"{key}：{error.text.zh}", f"{key}: {error.text.en}")
            return None

    def given(self, source: Mapping_, key: str, element: str | None) -> Given | None:
        """An optional literal, or an expression where the text begins with ``=``; also inside records and lists."""
        if source.get(key) is None:
            return None
        return Given(self._content(source[key], key, source.lines[key], element))

    def _content(self, value: Any, key: str, line: int, element: str | None) -> Any:
        if isinstance(value, str) and value.startswith("="):
            return self._compiled(value[1:], key, line, element)
        if isinstance(value, Mapping_):
            return {name: self._content(member, key, value.lines[name], element) for name, member in value.items()}
        if isinstance(value, List_):
            return [self._content(member, key, at, element) for member, at in zip(value, value.lines, strict=True)]
        return value
