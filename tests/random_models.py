"""Draws models that nobody would draw: what is proved on them is not owed to the tidiness of a drawing."""

from __future__ import annotations

from random import Random

from tests.drawing import Drawn, draw


def random_model(seed: int) -> Drawn:
    """Random gateways, tasks and forward flows; ways back lead into tasks, so that every cycle has a wait."""
    random = Random(seed)
    size = random.randint(5, 13)
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
    lines = ["start s -> n0", "end e"]
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
    return draw("\n".join(lines))
