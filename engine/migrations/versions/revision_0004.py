"""What this round brings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.instant import Instant

revision = "0004"
down_revision: str | None = "0003"


def upgrade() -> None:
    """What this round brings."""
    op.create_table(
        "halt",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("zh", sa.Text(), nullable=False),
        sa.Column("en", sa.Text(), nullable=False),
        sa.Column("lifted_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.add_column("casefile", sa.Column("salt", sa.Text(), nullable=True))
    op.add_column("document", sa.Column("sealed", sa.Text(), nullable=True))
    op.add_column("recusal", sa.Column("salt", sa.Text(), nullable=True))
    op.add_column("register_record", sa.Column("salt", sa.Text(), nullable=True))
