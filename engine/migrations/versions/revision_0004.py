"""What the trail is committed to of cases, records and recusals."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision: str | None = "0003"


def upgrade() -> None:
    """What the trail is committed to of cases, records and recusals."""
    op.add_column("casefile", sa.Column("salt", sa.Text(), nullable=True))
    op.add_column("recusal", sa.Column("salt", sa.Text(), nullable=True))
    op.add_column("register_record", sa.Column("salt", sa.Text(), nullable=True))
