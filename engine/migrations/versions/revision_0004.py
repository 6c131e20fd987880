"""What this round brings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision: str | None = "0003"


def upgrade() -> None:
    """What this round brings."""
    op.add_column("document", sa.Column("sealed", sa.Text(), nullable=True))
