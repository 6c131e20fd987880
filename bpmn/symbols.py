"""The signs of BPMN as pieces of SVG: what stands in tasks, events and gateways. Knows nothing of diagrams."""

from __future__ import annotations

from collections.abc import Callable, Mapping

INK = "#2b3648"
PAPER = "#ffffff"

_THIN = f'fill="none" stroke="{INK}" stroke-width="1.2" stroke-linecap="round" stroke-linejoin="round"'
_SOLID = f'fill="{INK}" stroke="none"'


def number(value: float) -> str:
    """A length as SVG writes it: at most one digit behind the point."""
    return f"{value:.1f}".removesuffix(".0")


def _at(x: float, y: float, inner: str) -> str:
    return f'<g transform="translate({number(x)} {number(y)})">{inner}</g>'


# Task signs, 16 by 16.
_PERSON = (
    f'<path {_THIN} d="M1.5 15.5v-2.6c0-2.6 2.2-4 4.2-4.4h4.6c2 .4 4.2 1.8 4.2 4.4v2.6z"/>'
    f'<circle cx="8" cy="4.6" r="3.6" fill="{PAPER}" stroke="{INK}" stroke-width="1.2"/>'
)
_GEAR = (
    f'<path {_THIN} d="M8 1.2v2.2M8 12.6v2.2M1.2 8h2.2M12.6 8h2.2M3.2 3.2l1.6 1.6M11.2 11.2l1.6 1.6M3.2 12.8l1.6-1.6'
    'M11.2 4.8l1.6-1.6"/>'
    f'<circle cx="8" cy="8" r="4.4" fill="{PAPER}" stroke="{INK}" stroke-width="1.4"/>'
    f'<circle cx="8" cy="8" r="1.7" fill="{PAPER}" stroke="{INK}" stroke-width="1.2"/>'
)
_SHEET = (
    f'<path {_THIN} d="M4.5 1.2h9.3c-2.6 2.3-2.6 4 0 6.8 1.7 2.2 1.4 4.6-.6 6.8H3.4c2.6-2.3 2.6-4 0-6.8'
    f'C1.7 5.8 2.2 3.4 4.5 1.2z"/><path {_THIN} d="M5 4.2h5.2M5.6 7h5.2M6.8 9.6h5.2M6.2 12.2h5.4"/>'
)
_TABLE = f'<path {_THIN} d="M1 2.5h14v11H1zM1 5.8h14M1 9.6h14M5.4 5.8v7.7"/>'
_HAND = f'<path {_THIN} d="M1.5 7.5 6 3h3l-2 2.6h8v2M7 8h7.5M7 10.4h7M7 12.8h6M1.5 7.5v6.3h5.5"/>'
_TASKS: Mapping[str, str] = {
    "userTask": _PERSON,
    "serviceTask": _GEAR,
    "scriptTask": _SHEET,
    "businessRuleTask": _TABLE,
    "manualTask": _HAND,
}


def task_sign(kind: str, x: float, y: float) -> str:
    """The sign of a kind of task, its upper left corner at a point; "" for kinds that have none."""
    if kind in ("sendTask", "receiveTask"):
        return _at(x + 8, y + 8, envelope(0.8, filled=kind == "sendTask"))
    return _at(x, y, _TASKS[kind]) if kind in _TASKS else ""


def envelope(scale: float, *, filled: bool = False) -> str:
    """A message around the origin; thrown messages are filled."""
    w, h = 10 * scale, 7 * scale
    body = f'fill="{INK if filled else PAPER}" stroke="{PAPER if filled else INK}" stroke-width="1.2"'
    left, top = f"{number(-w)} {number(-h)}", number(-h)
    outline = f"M{left}H{number(w)}V{number(h)}H{number(-w)}zM{left}L0 {number(h * 0.2)}L{number(w)} {top}"
    return f'<path {body} stroke-linejoin="round" d="{outline}"/>'


def _clock(radius: float) -> str:
    ticks = f"M0 {number(-radius)}v2M0 {number(radius)}v-2M{number(-radius)} 0h2M{number(radius)} 0h-2"
    hands = f"M0 0V{number(-radius * 0.62)}M0 0H{number(radius * 0.5)}"
    return f'<circle r="{number(radius)}" {_THIN}/><path {_THIN} d="{ticks}{hands}"/>'


def _outline(path: str) -> Callable[[float, bool], str]:
    def drawn(scale: float, filled: bool) -> str:  # noqa: FBT001 - one signature for all signs of events
        return f'<path d="{path}" transform="scale({number(scale)})" {_SOLID if filled else _THIN}/>'

    return drawn


_EVENTS: Mapping[str, Callable[[float, bool], str]] = {
    "message": lambda scale, filled: envelope(0.95 * scale, filled=filled),
    "timer": lambda scale, _: _clock(11 * scale),
    "terminate": lambda scale, _: f'<circle r="{number(10 * scale)}" {_SOLID}/>',
    "signal": _outline("M0-9 9 6.5H-9z"),
    "error": _outline("M-9 9-4-6 3 1 9-9 4 6-3-1z"),
    "escalation": _outline("M0-10 7 9 0 2-7 9z"),
    "compensate": _outline("M-10 0-1-7v7l9-7V7L-1 0v7z"),
    "cancel": _outline("M-9-6-6-9 0-3 6-9 9-6 3 0 9 6 6 9 0 3-6 9-9 6-3 0z"),
    "conditional": _outline("M-7-9H7V9H-7zM-4.5-5h9M-4.5-1.5h9M-4.5 2h9M-4.5 5.5h9"),
    "link": _outline("M-10-3.5H2V-8l8 8-8 8V3.5h-12z"),
    "multiple": _outline("M0-10 9.5-3 6 8.5H-6L-9.5-3z"),
}


def event_sign(kind: str, x: float, y: float, *, throws: bool, scale: float = 1.0) -> str:
    """The sign of a kind of event, its middle at a point; thrown ones are filled. "" for plain events."""
    return _at(x, y, _EVENTS[kind](scale, throws)) if kind in _EVENTS else ""


def gateway_sign(kind: str, x: float, y: float) -> str:
    """What stands in the middle of a gateway: ×, +, ○, pentagon or star."""
    thick = f'stroke="{INK}" stroke-width="3" stroke-linecap="round" fill="none"'
    signs = {
        "exclusiveGateway": f'<path d="M-7-7 7 7M7-7-7 7" {thick}/>',
        "parallelGateway": f'<path d="M0-10V10M-10 0H10" {thick}/>',
        "inclusiveGateway": f'<circle r="9.5" fill="none" stroke="{INK}" stroke-width="2.6"/>',
        "complexGateway": f'<path d="M0-10V10M-10 0H10M-7-7 7 7M7-7-7 7" {thick}/>',
        "eventBasedGateway": (
            f'<circle r="13" {_THIN}/><circle r="10.5" {_THIN}/><path {_THIN} d="M0-7 6.7-2.2 4.1 5.7H-4.1L-6.7-2.2z"/>'
        ),
    }
    return _at(x, y, signs[kind]) if kind in signs else ""


def loop_sign(x: float, y: float, *, sequential: bool) -> str:
    """Three bars around a point: upright for all at once, lying for one after the other."""
    bars = "M-5-4H5M-5 0H5M-5 4H5" if sequential else "M-4-5V5M0-5V5M4-5V5"
    return _at(x, y, f'<path d="{bars}" fill="none" stroke="{INK}" stroke-width="2"/>')


def again_sign(x: float, y: float) -> str:
    """An arrow that comes back to where it began, around a point: a standard loop."""
    return _at(x, y, f'<path d="M-2.2 4.6A5 5 0 1 1 2.6 4.2M-5.8 5.2h3.8V1.4" {_THIN}/>')


def closed_sign(x: float, y: float) -> str:
    """The small + of a box whose inside is not shown."""
    return _at(x, y, f'<path d="M-6-6H6V6H-6zM0-3.5v7M-3.5 0h7" {_THIN}/>')


def badge(mark: str, x: float, y: float, colour: str) -> str:
    """A round sign for a state, which also says without colour what the state is."""
    signs = {
        "done": "M-3.6.2-1 2.8 3.8-2.6",
        "open": "M-2-3.6 3.2 0-2 3.6z",
        "overdue": "M0-4V.4L2.8 2",
        "finding": "M0-4V1M0 3.8V4",
    }
    sign = f'fill="none" stroke="{PAPER}" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"'
    disc = f'<circle r="8" fill="{colour}" stroke="{PAPER}" stroke-width="1.5"/>'
    return _at(x, y, f'{disc}<path d="{signs[mark]}" {sign}/>')
