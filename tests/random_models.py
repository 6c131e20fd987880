"""Draws models that nobody would draw: what is proved on them is not owed to the tidiness of a drawing."""

from __future__ import annotations

from random import Random

from tests.drawing import Drawn, draw

THROWN = {"error": ["E1", "E2"], "escalation": ["X1", "X2"]}


def random_model(seed: int) -> Drawn:
    """Random gateways, tasks and forward flows; ways back lead into tasks, so that every cycle has a wait."""
    random = Random(seed)
    return draw("\n".join(["start s -> n0", *random_body(random, random.randint(5, 13)), "end e"]))


def random_body(random: Random, size: int) -> list[str]:
    """The lines of such a model between its start and its end ``e``."""
    kinds = {f"n{number}": random.choice(["user", "user", "user", "xor", "and", "or", "or"]) for number in range(size)}
    names = list(kinds)
    flows: dict[str, list[str]] = {name: [] for name in names}
    for number, name in enumerate(names):
        if number:  # everything can be reached
            free = [each for each in names[:number] if kinds[each] != "user" or not flows[each]]
            flows[random.choice(free or names[:1])].append(name)
    for number, name in enumerate(names):
        later = [*names[number + 1 :], "e"]
        wanted = 1 if kinds[name] == "user" else random.randint(1, 3)
        while len(flows[name]) < wanted:
            flows[name].append(random.choice(later))
        earlier_tasks = [each for each in names[: number + 1] if kinds[each] == "user"]
        if kinds[name] == "xor" and earlier_tasks and random.random() < 0.9:
            flows[name].append(random.choice(earlier_tasks))
    lines: list[str] = []
    for name, kind in kinds.items():
        splits = kind == "user" and len(flows[name]) > 1
        marks = [random.choice(["", "", "?"]) if splits else "" for _ in flows[name]]
        if splits and "?" in marks and random.random() < 0.3:
            marks[random.randrange(len(marks))] = "*"
        if "?" not in marks:
            marks = [mark.strip("*") for mark in marks]
        lines.append(f"{kind} {name} -> {' '.join(mark + flow for mark, flow in zip(marks, flows[name], strict=True))}")
        if kind == "user" and random.random() < 0.25:
            how = random.choice(["on", "beside"])
            later = [*names[names.index(name) + 1 :], "e"]
            lines.append(f"message m{name} {how} {name} -> {random.choice(later)}")
    return lines


def random_event_model(seed: int) -> Drawn:
    """Such a body in a subprocess that ends in errors and escalations too, with events that catch some of them."""
    random = Random(seed)
    throws = [f"{kind}={code}" for kind, codes in THROWN.items() for code in codes if random.random() < 0.6]
    inside = ["start bs -> n0", *random_body(random, random.randint(3, 7))]
    inside += [f"xor e -> {' '.join(f'e{number}' for number in range(len(throws) + 1))}", "end e0"]
    inside += [f"end e{number} | {thrown}" for number, thrown in enumerate(throws, 1)]
    inside += _handlers(random, "h")
    outside = ["start s -> a", "user a -> box", f"sub box {random.choice(['', '[each] '])}-> more {{", *inside, "}"]
    for kind in ("error", "escalation", "message", "timer"):
        if random.random() < 0.7:
            how = "on" if kind == "error" else random.choice(["on", "beside"])
            outside.append(f"{kind} o{kind} {how} box -> {random.choice(['a', 'more', 'c'])}{_code(random, kind)}")
    outside += ["user c -> more", "xor more -> a f", "end f", *_handlers(random, "r")]
    return draw("\n".join(outside))


def _handlers(random: Random, name: str) -> list[str]:
    """One event subprocess at most for each kind of event."""
    lines: list[str] = []
    for kind in ("error", "escalation", "message"):
        if random.random() < 0.4:
            key = f"{name}{kind}"
            how = "on" if kind == "error" else random.choice(["on", "beside"])
            lines += [f"handler {key} {{", f"{kind} {key}s {how} scope -> {key}t{_code(random, kind)}"]
            lines += [f"user {key}t -> {key}e", f"end {key}e", "}"]
    return lines


def _code(random: Random, kind: str) -> str:
    code = random.choice(["", *THROWN.get(kind, [])])
    return f" | code={code}" if code else ""
