"""The settings of an installation, read once from the environment; a wrong value fails loudly."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Config:
    """Where the database is. ``LIUHEN_DATABASE_URL``: a URL or a path; without it an SQLite file under ``var/``.

    ``signer`` is the folder of the signer's key and state (``LIUHEN_SIGNER``): else beside the embedded database.
    """

    database: str
    signer: Path = Path("var", "signer")

    @classmethod
    def read(cls, database: str | None = None) -> Config:
        """The settings; ``database`` is what the command line says, which wins."""
        home = Path(os.environ.get("LIUHEN_HOME", Path.cwd()))
        url = database or os.environ.get("LIUHEN_DATABASE_URL") or str(home / "var" / "liuhen.db")
        beside = home / "var" / "signer" if "://" in url else Path(f"{url}.signer")
        return cls(url, Path(os.environ.get("LIUHEN_SIGNER") or beside))
