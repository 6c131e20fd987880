"""The report of a bundle as people read it: one printable page that needs nothing else, the duty matrix first.

It says what the annexes say and how far the trail is proved. It is never a legal conclusion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from html import escape
from typing import Any

from engine.spreadsheets import Amount
from engine.trail.annexes.account import Account
from engine.trail.annexes.headings import PARTS
from engine.trail.annexes.sheets import Cell, Sheet, said

STYLE = """
*{box-sizing:border-box}
body{font:14px/1.55 "Noto Sans SC","Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif;
max-width:84rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}h1{font-size:1.5rem}
h2{font-size:1.2rem;margin:2.4rem 0 .4rem;border-bottom:2px solid #666}h3{font-size:1rem;margin:1.2rem 0 .3rem}
table{border-collapse:collapse;width:100%;margin:.4rem 0 1rem}th,td{border:1px solid #bbb;padding:.25rem .45rem;
text-align:left;vertical-align:top;overflow-wrap:anywhere}th{background:#f2f2f2}thead th{white-space:nowrap}
small{display:block;color:#555}.hash{font-family:monospace;font-size:.82em;word-break:break-all}
.cut{font-family:monospace;font-size:.82em;white-space:nowrap}
.number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}.day{white-space:nowrap}
.key{width:14rem}.wide{min-width:16rem}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f7f7f7;padding:.5rem .8rem}
.dissent{font-weight:700;color:#8a1c00}.conclusion{font-weight:700;white-space:nowrap}.none{color:#555}.made{color:#333}
.invalid{font-size:1.4rem;font-weight:700;color:#a00;border:3px solid #a00;padding:.5rem 1rem}
@media screen and (max-width:50rem){thead{display:none}.wide{min-width:0}tbody,tr,td,th,.key{display:block;width:auto}
tr{border:1px solid #999;margin:0 0 .7rem}td,tbody th{border:0;border-bottom:1px solid #e2e2e2}
td[data-head]::before{content:attr(data-head);display:block;font-size:.8em;font-weight:700;color:#555}
td:empty{display:none}.number{text-align:left}}
@media print{@page{size:A4 landscape;margin:12mm}body{margin:0;max-width:none;padding:0;font-size:8.5pt;line-height:1.4}
.wide{min-width:0}h1{font-size:15pt}h2{font-size:12pt}h3{font-size:10pt}h2,h3{break-after:avoid}tr{break-inside:avoid}
thead{display:table-header-group}thead th{white-space:normal;overflow-wrap:normal}th,td{padding:1pt 3pt}}
"""
HASHES = frozenset({"sha256", "hash", "prev_hash", "content_hash", "notice_hash"})
CUT = frozenset({"hash", "prev_hash"})
"""Hashes that a page shows by their beginning; the events hold them whole."""
BEGINNING = 16
WIDE = frozenset({"content", "opinion", "action"})
"""Columns that hold whole sentences."""
PAIRS = frozenset({"cover", "readiness", "proof"})
"""Tables of two columns, of which the first says what the second is."""


@dataclass(frozen=True, slots=True)
class Made:
    """When a report was made, by whom and what for: all that differs between two exports of one state."""

    who: str
    at: datetime
    purpose: str


def report(account: Account, parts: Mapping[str, Sequence[Sheet]], made: Made) -> str:
    """The whole page: cover, duties, everything else, and the proof in the end."""
    body = "".join(
        f'<section id="{name}"><h2>{escape(account.said(PARTS[name]))}</h2>{_part(account, name, sheets)}</section>\n'
        for name, sheets in parts.items()
        if name in PARTS
    )
    title = escape(f"{account.word('report')} · {account.material.row['number']}")
    cover = _cover(account, parts["cover"], made)
    return (
        f'<!DOCTYPE html>\n<html lang="{account.language}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><title>{title}</title>'
        f"<style>{STYLE}</style></head><body><h1>{title}</h1>\n{cover}{body}</body></html>\n"
    )


def _cover(account: Account, sheets: Sequence[Sheet], made: Made) -> str:
    material = account.material
    mark = "" if material.intact else f'<p class="invalid" role="alert">{escape(account.word("invalid"))}</p>'
    withheld = f"<p>{escape(account.word('withheld'))}</p>" if material.view.redacted else ""
    purpose = made.purpose or account.word("none")
    said_by = account.word("made", who=account.who(made.who), at=said(made.at), purpose=purpose)
    return (
        f'<section id="cover">{mark}{_table(account, sheets[0])}<p>{escape(account.word("notice"))}</p>{withheld}'
        f'<p class="made">{escape(said_by)}</p>{_checkpoint(account, 3)}</section>\n'
    )


def _part(account: Account, name: str, sheets: Sequence[Sheet]) -> str:
    found = []
    for sheet in sheets:
        head = f"<h3>{escape(sheet.title(account.language))}</h3>" if len(sheets) > 1 else ""
        found.append(f"{head}{_table(account, sheet)}")
    return "".join(found) + (_proved(account) if name == "proof" else "")


def _proved(account: Account) -> str:
    """How far an outside proof reaches, and the whole checkpoint with its signatures."""
    material = account.material
    if material.proofs is None:
        return f"<p>{escape(account.word('unsigned'))}</p>"
    unsealed = account.word("unsealed", n=material.unsealed) if material.unsealed else ""
    return (f"<p>{escape(unsealed)}</p>" if unsealed else "") + _checkpoint(account, None)


def _checkpoint(account: Account, lines: int | None) -> str:
    """The checkpoint to be kept elsewhere: whole, or its first lines alone."""
    if account.material.proofs is None:
        return ""
    text = "\n".join(account.material.proofs.checkpoint.splitlines()[:lines])
    return f'<p>{escape(account.word("checkpoint"))}</p><pre class="hash">{escape(text)}</pre>'


# Tables.


def _table(account: Account, sheet: Sheet) -> str:
    """A table; on a narrow screen each line becomes a card whose values carry the names of their columns."""
    if not sheet.rows:
        nothing = account.word("none" if account.full else "none_shown")
        return f'<p class="none">{escape(nothing)}</p>'
    heads = [escape(each) for each in sheet.heads(account.language)]
    if sheet.name in PAIRS:
        pairs = ((_cell("item", row[0]), _cell("content", row[1])) for row in sheet.rows)
        lines = "".join(f'<tr><th class="key">{name}</th><td>{text}</td></tr>' for name, text in pairs)
        return f"<table><tbody>{lines}</tbody></table>"
    groups = _groups(sheet)
    head = "".join(f"<th>{'<br>'.join(heads[place] for place in group)}</th>" for group in groups)
    body = "".join(f"<tr>{''.join(_group(sheet, heads, row, group) for group in groups)}</tr>" for row in sheet.rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _groups(sheet: Sheet) -> list[list[int]]:
    """The columns that share a cell, by their places."""
    groups: list[list[int]] = []
    for place, name in enumerate(sheet.columns):
        if name in sheet.under and groups:
            groups[-1].append(place)
        else:
            groups.append([place])
    return groups


def _group(sheet: Sheet, heads: Sequence[str], row: Sequence[Cell], group: Sequence[int]) -> str:
    first, *others = group
    inner = _cell(sheet.columns[first], row[first])
    inner += "".join(
        f"<small>{_cell(sheet.columns[place], row[place])}</small>" for place in others if row[place] not in (None, "")
    )
    wide = not WIDE.isdisjoint(sheet.columns[place] for place in group)
    sort = ' class="wide"' if wide else _sort(sheet.columns[first], row[first])
    return f'<td data-head="{heads[first]}"{sort}>{inner}</td>' if inner else "<td></td>"


def _sort(column: str, cell: Cell) -> str:
    if isinstance(cell, Amount | int):
        return ' class="number"'
    if isinstance(cell, date):
        return ' class="day"'
    if column == "conclusion":
        return ' class="conclusion"'
    return ""


def _cell(column: str, cell: Cell) -> str:
    """A value, escaped."""
    text = escape(_text(column, cell)).replace("\n", "<br>")
    if column == "dissent" and text:
        return f'<span class="dissent">{text}</span>'
    sort = "cut" if column in CUT else "hash" if column in HASHES else ""
    return f'<span class="{sort}">{text}</span>' if sort and text else text


def _text(column: str, cell: Any) -> str:
    match cell:
        case None:
            return ""
        case Amount():
            return f"{cell.number:,.2f}"
        case datetime():
            return said(cell)
    return str(cell)[:BEGINNING] if column in CUT else str(cell)
