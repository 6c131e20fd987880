"""Lets ``python -m webui`` be the command line with all its commands, ``serve`` included."""

from __future__ import annotations

import sys

from webui.cli import main

if __name__ == "__main__":
    sys.exit(main())
