"""The tables of sealing and exporting: epochs, what is anchored outside, who waits for a seal, and long work."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from engine.base import Base


class Epoch(Base):
    """A moment at which all streams were sealed: the statement, its leaf in the log (hex) and the signed checkpoint."""

    __tablename__ = "epoch"
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    statement: Mapped[str]
    leaf: Mapped[str]
    note: Mapped[str]
    at: Mapped[datetime]


class EpochHead(Base):
    """Where a stream stood that had moved since the epoch before, so that the map of any epoch can be built again."""

    __tablename__ = "epoch_head"
    epoch: Mapped[int] = mapped_column(ForeignKey("epoch.number"), primary_key=True)
    stream: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int]
    head: Mapped[str]
    __table_args__ = (Index("epoch_head_stream", "stream", "epoch"),)


class Anchor(Base):
    """What somebody outside says of a checkpoint: the cosignature line of a witness, or a time stamp in base64."""

    __tablename__ = "anchor"
    epoch: Mapped[int] = mapped_column(ForeignKey("epoch.number"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[str]
    at: Mapped[datetime]


class Halt(Base):
    """Why the signer signs nothing: until it does again nothing is added to the trail, and all is read-only."""

    __tablename__ = "halt"
    id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    zh: Mapped[str]
    en: Mapped[str]
    lifted_at: Mapped[datetime | None]


class SealRequest(Base):
    """Somebody waits for an epoch, or for the signature under the list of files of an export."""

    __tablename__ = "seal_request"
    id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    manifest: Mapped[str | None]
    epoch: Mapped[int | None]
    envelope: Mapped[str | None]
    answered_at: Mapped[datetime | None] = mapped_column(index=True)


class Job(Base):
    """Work that takes longer than a page may: asked by somebody, done by a worker, kept for a day."""

    __tablename__ = "job"
    id: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str]
    at: Mapped[datetime]
    asked: Mapped[str]
    total: Mapped[int]
    done: Mapped[int]
    step: Mapped[str]
    leased_until: Mapped[datetime | None]
    finished_at: Mapped[datetime | None] = mapped_column(index=True)
    name: Mapped[str | None]
    content: Mapped[bytes | None]
    zh: Mapped[str | None]
    en: Mapped[str | None]
