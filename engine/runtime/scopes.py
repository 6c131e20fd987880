"""Where variables live: a case is a scope, a called process a closed one, a multi-instance child one of its own.

Reading looks outwards and stops at a closed scope; writing goes to the scope named, always. Knows no tasks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from forms.values import Value

CASE = 1


@dataclass(slots=True)
class Scope:
    """One table of variables; ``closed`` hides everything outside it."""

    parent: int | None
    closed: bool
    values: dict[str, Value] = field(default_factory=dict)


class Scopes:
    """All scopes of one case, by number; number 1 is the case itself."""

    def __init__(self) -> None:
        self.table: dict[int, Scope] = {CASE: Scope(None, True)}
        self.last = CASE

    def open(self, parent: int, values: Mapping[str, Value], *, closed: bool = False) -> int:
        """Open a scope inside ``parent`` and return its number."""
        self.last += 1
        self.table[self.last] = Scope(parent, closed, dict(values))
        return self.last

    def close(self, number: int) -> None:
        """Forget a scope and everything inside it."""
        for inner in [key for key, scope in self.table.items() if scope.parent == number]:
            self.close(inner)
        self.table.pop(number, None)

    def write(self, number: int, values: Mapping[str, Value]) -> None:
        """Write into exactly this scope."""
        self.table[number].values.update(values)

    def names(self, number: int, given: Mapping[str, Value]) -> Names:
        """What an expression in this scope can read: its variables outwards, then what the system gives."""
        return Names(self, number, given)

    def innermost(self, given: Mapping[str, Value]) -> Names:
        """The view from the youngest open scope outwards to the case, also out of called processes: what a scenario's
        ``variables`` are compared with.
        """
        return Names(self, max(self.table), given, whole=True)

    def frozen(self) -> list[Value]:
        """The scopes as a value, to be stored."""
        rows: list[Value] = [[key, each.parent, each.closed, each.values] for key, each in self.table.items()]
        return [self.last, *rows]

    @classmethod
    def thawed(cls, stored: list[Value]) -> Scopes:
        """The scopes that ``frozen`` described."""
        scopes = cls()
        last, *rows = stored
        assert isinstance(last, int)
        scopes.last = last
        scopes.table = {}
        for row in rows:
            assert isinstance(row, list)
            key, parent, closed, values = row
            assert isinstance(key, int)
            assert isinstance(values, dict)
            assert parent is None or isinstance(parent, int)
            scopes.table[key] = Scope(parent, bool(closed), values)
        return scopes


class Names(Mapping[str, Value]):
    """A live, read-only view of the variables one scope can see; ``whole`` looks on where a closed scope ends."""

    __slots__ = ("given", "number", "scopes", "whole")

    def __init__(self, scopes: Scopes, number: int, given: Mapping[str, Value], *, whole: bool = False) -> None:
        self.scopes, self.number, self.given, self.whole = scopes, number, given, whole

    def _chain(self) -> Iterator[Mapping[str, Value]]:
        number: int | None = self.number
        while number is not None:
            scope = self.scopes.table[number]
            yield scope.values
            number = None if scope.closed and not self.whole else scope.parent
        yield self.given

    def __getitem__(self, name: str) -> Value:
        for values in self._chain():
            if name in values:
                return values[name]
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return any(name in values for values in self._chain())

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for values in self._chain() for name in values))

    def __len__(self) -> int:
        return len(list(iter(self)))
