"""Lets ``python -m engine`` be the command line, as ``./liuhen`` starts it; the commands are engine/cli.py's."""

from __future__ import annotations

import sys

from engine.cli import main

if __name__ == "__main__":
    sys.exit(main())
