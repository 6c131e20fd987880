"""A form that says ``extends: <form>`` takes over that form's fields and rules, and says only what differs."""

from __future__ import annotations

from collections.abc import Mapping

from forms.owned_yaml import List_, Mapping_, load
from forms.words import Finding, Text, Unfit

DEEPEST = 5


def extended(source: Mapping_, file: str, bases: Mapping[str, str], depth: int = 0) -> Mapping_:
    """The form with what it extends put in: a field of the same code replaces the other's, further ones and all rules
    are added, everything else it says itself counts. ``bases`` are the texts of forms by id. Raises Unfit.
    """
    name = source.get("extends")
    if name is None:
        return source
    if name not in bases or depth == DEEPEST:
        zh, en = f"extends 指的表单“{name}”不存在，或延伸成环", f"extends names {name!r}, which does not exist or goes in a circle"
        raise Unfit([Finding("extends", file, source.lines["extends"], None, Text(zh, en))])
    base = load(bases[str(name)], f"{name}.yaml")
    if not isinstance(base, Mapping_):
        return source
    base = extended(base, file, bases, depth + 1)
    whole = Mapping_(source.line)
    for key in dict.fromkeys([*base, *source]):
        owner = source if key in source else base
        whole[key], whole.lines[key] = owner[key], owner.lines[key]
    whole.pop("extends", None)
    whole["fields"] = _joined(base.get("fields"), source.get("fields"), "code")
    if "rules" in base or "rules" in source:
        whole["rules"] = _joined(base.get("rules"), source.get("rules"), None)
        whole.lines.setdefault("rules", source.line)
    return whole


def _joined(first: object, second: object, by: str | None) -> List_:
    """Both lists; where ``by`` is given, a member of the second takes the place of its namesake in the first."""
    one = first if isinstance(first, List_) else List_(0)
    two = second if isinstance(second, List_) else List_(0)
    own = {each.get(by): each for each in two if by and isinstance(each, Mapping_)}
    joined = List_(two.line or one.line)
    for each in one:
        joined.append(own.pop(each.get(by), each) if by and isinstance(each, Mapping_) else each)
    taken = [each for each in joined]
    joined.extend(each for each in two if not any(each is other for other in taken))
    joined.lines = [getattr(each, "line", joined.line) for each in joined]
    return joined
