"""What this round brings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.instant import Instant

revision = "0003"
down_revision: str | None = "0002"


def upgrade() -> None:
    """What this round brings."""
    op.create_table(
        "deed",
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("behalf", sa.Text(), nullable=True),
        sa.Column("process", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("basis", sa.Text(), nullable=True),
        sa.Column("marks", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("stream", "seq"),
    )
    op.create_index("deed_actor", "deed", ["actor", "at", "stream"], unique=False)
    op.create_index("deed_at", "deed", ["at", "stream"], unique=False)
    op.create_index(
        "deed_basis",
        "deed",
        ["basis", "at", "stream"],
        unique=False,
        sqlite_where=sa.text("basis IS NOT NULL"),
        postgresql_where=sa.text("basis IS NOT NULL"),
    )
    op.create_index(
        "deed_behalf",
        "deed",
        ["behalf", "at", "stream"],
        unique=False,
        sqlite_where=sa.text("behalf IS NOT NULL"),
        postgresql_where=sa.text("behalf IS NOT NULL"),
    )
    op.create_index(
        "deed_marks",
        "deed",
        ["marks", "at", "stream", "process"],
        unique=False,
        sqlite_where=sa.text("marks IS NOT NULL"),
        postgresql_where=sa.text("marks IS NOT NULL"),
    )
    op.create_index(
        "deed_role",
        "deed",
        ["role", "at", "stream"],
        unique=False,
        sqlite_where=sa.text("role IS NOT NULL"),
        postgresql_where=sa.text("role IS NOT NULL"),
    )
    op.create_table(
        "epoch",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("leaf", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "job",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("leased_until", Instant(), nullable=True),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("zh", sa.Text(), nullable=True),
        sa.Column("en", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_job_finished_at"), "job", ["finished_at"], unique=False)
    op.create_table(
        "policy_text",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("code", "number"),
    )
    op.create_index(op.f("ix_policy_text_sha256"), "policy_text", ["sha256"], unique=False)
    op.create_table(
        "seal_request",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("manifest", sa.Text(), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=True),
        sa.Column("envelope", sa.Text(), nullable=True),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_seal_request_answered_at"), "seal_request", ["answered_at"], unique=False)
    op.create_table(
        "sealed_value",
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("case", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("ref"),
    )
    op.create_index("sealed_value_subject", "sealed_value", ["subject"], unique=False)
    op.create_table(
        "subject_key",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_table(
        "anchor",
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["epoch"],
            ["epoch.number"],
        ),
        sa.PrimaryKeyConstraint("epoch", "kind", "source"),
    )
    op.create_table(
        "epoch_head",
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("head", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["epoch"],
            ["epoch.number"],
        ),
        sa.PrimaryKeyConstraint("epoch", "stream"),
    )
    op.create_index("epoch_head_stream", "epoch_head", ["stream", "epoch"], unique=False)
    op.create_table(
        "saved_view",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("person", "name"),
    )
    op.create_table(
        "start_event",
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("element", sa.Text(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("due", Instant(), nullable=True),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("zh", sa.Text(), nullable=True),
        sa.Column("en", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["definition"],
            ["definition.id"],
        ),
        sa.PrimaryKeyConstraint("process", "element"),
    )
    op.create_index(op.f("ix_start_event_due"), "start_event", ["due"], unique=False)
    op.create_index("start_event_name", "start_event", ["kind", "name"], unique=False)
    op.create_table(
        "delivery",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("signal", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("case", sa.Text(), nullable=True),
        sa.Column("first", sa.Integer(), nullable=True),
        sa.Column("definition", sa.Text(), nullable=True),
        sa.Column("element", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["case"],
            ["casefile.id"],
        ),
        sa.ForeignKeyConstraint(
            ["definition"],
            ["definition.id"],
        ),
        sa.ForeignKeyConstraint(
            ["source"],
            ["casefile.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_delivery_case"), "delivery", ["case"], unique=False)
    op.create_index(op.f("ix_delivery_number"), "delivery", ["number"], unique=False)
    op.create_table(
        "listener",
        sa.Column("case", sa.Text(), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("signal", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case"],
            ["casefile.id"],
        ),
        sa.PrimaryKeyConstraint("case", "token"),
    )
    op.create_index(op.f("ix_listener_signal"), "listener", ["signal"], unique=False)
    op.add_column("casefile", sa.Column("stopped_at", Instant(), nullable=True))
    op.add_column("casefile", sa.Column("stopped_for", sa.Text(), nullable=True))
    op.add_column("casefile", sa.Column("amount_fen", sa.BigInteger(), nullable=True))
    op.create_index("casefile_amount", "casefile", ["amount_fen"], unique=False)
    op.create_index("casefile_opened", "casefile", ["opened_at"], unique=False)
    op.add_column("task", sa.Column("prefill", sa.Text(), nullable=True))
    op.add_column("task", sa.Column("overran_on", sa.Date(), nullable=True))
