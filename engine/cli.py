"""The command line: every verb and question without a browser. Says the engine's sentences; exits 0, 1 or 2."""

from __future__ import annotations

from engine import (
    cli_cases,
    cli_conform,
    cli_dossier,
    cli_events,
    cli_library,
    cli_mending,
    cli_oversight,
    cli_parameters,
    cli_people,
    cli_policy,
    cli_privacy,
    cli_registers,
    cli_trail,
    cli_upkeep,
)
from engine.cli_base import main

__all__ = [
    "cli_cases",
    "cli_conform",
    "cli_dossier",
    "cli_events",
    "cli_library",
    "cli_mending",
    "cli_oversight",
    "cli_parameters",
    "cli_people",
    "cli_policy",
    "cli_privacy",
    "cli_registers",
    "cli_trail",
    "cli_upkeep",
    "main",
]  # fmt: skip
