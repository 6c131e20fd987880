"""Writes a revision of the schema from what the models say, for whoever changes the models.

``python -P -m tests.revise 0002 what it brings`` writes the second one, to be read before it is kept: append-only
tables may only gain columns. ``python -P -m tests.revise first`` writes the first one anew, which is right only until
the first release.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Literal

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.autogenerate.api import AutogenContext
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from engine import migrations, schema
from engine.instant import Instant
from engine.model import Base
from engine.work import SYSTEM, Database

VERSIONS = Path(migrations.__file__).parent / "versions"
TEMPLATE = '''"""{about}"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

{imports}revision = "{revision}"
down_revision: str | None = {before!r}


def upgrade() -> None:
    """{about}"""
{body}
'''


def write(number: str, about: str, before: str | None, url: str) -> Path:
    """The revision that leads from the schema of this database to the models, as a file."""
    engine = create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        operations = produce_migrations(context, Base.metadata).upgrade_ops
    engine.dispose()
    assert operations is not None
    body = render_python_code(operations, render_item=_render, migration_context=context).replace("\n\n", "\n")
    body = "\n".join(line for line in body.split("\n") if not line.strip().startswith("# ###"))
    imports = "from engine.instant import Instant\n\n" if "Instant()" in body else ""
    path = VERSIONS / f"revision_{number}.py"
    path.write_text(
        TEMPLATE.format(about=about, imports=imports, revision=number, before=before, body=body), encoding="utf-8"
    )
    for tidy in (["ruff", "check", "--fix", "--quiet", "--select", "I,F401"], ["ruff", "format", "--quiet"]):
        subprocess.run([sys.executable, "-P", "-m", *tidy, str(path)], check=True)
    return path


def _render(kind: str, item: Any, _: AutogenContext) -> str | Literal[False]:
    return "Instant()" if kind == "type" and isinstance(item, Instant) else False


def main(arguments: list[str]) -> None:
    """Write what was asked for and say where."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        if arguments == ["first"]:
            written = write("0001", "The first tables.", None, f"sqlite:///{path}")
        else:
            number, *words = arguments
            # Without the fences: those of tables that this revision is to bring could not stand yet.
            database = Database(str(path))
            with database.work(SYSTEM) as work:
                schema.migrate(work.db)
            database.close()
            written = write(number, f"{' '.join(words).capitalize()}.", schema.newest_revision(), f"sqlite:///{path}")
    sys.stdout.write(f"{written}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
