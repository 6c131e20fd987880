"""Looks over an installation and says what protects its trail, what does not, and what that means."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from sqlalchemy import func, select

from engine import grants, schema
from engine.model import Event
from engine.people import everybody
from engine.trail import epochs
from engine.trail.record import newest_seal
from engine.trail.tables import Anchor, EpochHead
from engine.work import Work
from forms.words import Text

State = Literal["ok", "missing", "wrong"]
STALE = timedelta(minutes=15)
"""How long events may wait for an epoch before the signer is said not to run."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. ``missing`` weakens what can be proved; ``wrong`` shows an attack or a fault."""

    id: str
    state: State
    text: Text


def examine(work: Work, signer: Path) -> list[Check]:
    """Everything there is to say; ``signer`` is the folder of the signer's key, as this installation knows it."""
    shape = _schema(work)
    if shape.state == "wrong":
        return [shape]
    return [shape, *_database(work), *_sealing(work), *_key(signer), *_people(work)]


def _schema(work: Work) -> Check:
    found, newest = schema.revision(work.db), schema.newest_revision()
    if found != newest:
        return Check("schema", "wrong", Text(
            f"数据库结构是 {found or '空的'}，需要 {newest}：请运行 db upgrade",
            f"the schema is {found or 'empty'}, but {newest} is needed: run db upgrade",
        ))  # fmt: skip
    if gone := ", ".join(schema.missing(work.db)):
        return Check("schema", "wrong", Text(f"这些表不见了：{gone}", f"these tables are gone: {gone}"))
    return Check("schema", "ok", Text(f"数据库结构 {found}", f"the schema is at {found}"))


def _database(work: Work) -> Iterator[Check]:
    wrong = schema.check_fences(work.db)
    yield Check(
        "fences",
        "wrong" if wrong else "ok",
        Text("防篡改围栏缺失：" + "；".join(wrong), "fences are down: " + "; ".join(wrong))
        if wrong
        else Text(
            "防篡改围栏完整：数据库自身拒绝改动轨迹",
            "all fences stand: the database refuses changes to the trail",
        ),
    )
    if work.database.sqlite:
        yield Check("roles", "missing", Text(
            "SQLite 没有角色：能打开数据库文件的人可以拆除围栏，只有封存与见证能发现",
            "SQLite has no roles: whoever opens the file can take the fences down; only seals tell of it",
        ))  # fmt: skip
        return
    powers = grants.powers(work.db)
    if powers["superuser"] or powers["owner"]:
        yield Check("roles", "missing", Text(
            f"当前账号是{'超级用户' if powers['superuser'] else '表的所有者'}，可以拆除围栏：请用 liuhen_app 的账号",
            f"this account is {'a superuser' if powers['superuser'] else 'the owner of the tables'} and can take the "
            "fences down: use an account that is granted liuhen_app",
        ))  # fmt: skip
    else:
        yield Check("roles", "ok", Text("当前账号不能拆除围栏", "this account cannot take the fences down"))


def _sealing(work: Work) -> Iterator[Check]:
    last = epochs.newest(work)
    if last is None:
        yield Check("seal", "missing", Text(
            "尚无封存：所有者改写历史不会被发现。请运行 signer", "nothing is sealed: an owner who rewrites history is "
            "not found out. Run the signer",
        ))  # fmt: skip
        return
    waiting = _unsealed(work)
    if waiting < 0:
        yield Check("sealed", "wrong", Text(
            f"已封存的记录少了 {-waiting} 条：有人删除了轨迹", f"{-waiting} events that were sealed are gone"
        ))  # fmt: skip
    late = waiting and work.now - last["at"] > STALE
    yield Check(
        "seal",
        "wrong" if late else "ok",
        Text(
            f"封存到第 {last['number']} 期，{waiting} 条待封存"
            + ("；封存进程没有运行或拒绝签署，请查看其日志" if late else ""),
            f"sealed up to epoch {last['number']}, {waiting} events wait"
            + ("; the signer does not run or refuses: look at its log" if late else ""),
        ),
    )
    halted = newest_seal(work).halted
    if halted:
        yield Check("halted", "wrong", Text(f"只读：{halted.zh}", f"read-only: {halted.en}"))
    newest = select(Anchor.kind, func.max(Anchor.epoch).label("epoch")).group_by(Anchor.kind)
    kinds = {row.kind: row.epoch for row in work.db.execute(newest)}
    witness, stamp = kinds.get("witness"), kinds.get("tsa")
    yield Check("witness", "ok" if witness else "missing", Text(
        f"见证到第 {witness} 期" if witness else "没有见证：密钥被盗而无人在外留存检查点时，改写不会被发现",
        f"cosigned up to epoch {witness}" if witness else "no witness: with the key stolen and no checkpoint kept "
        "outside, rewriting is not found out",
    ))  # fmt: skip
    yield Check("stamp", "ok" if stamp else "missing", Text(
        f"时间戳在第 {stamp} 期" if stamp else "没有可信时间戳：时间只由本机时钟说明",
        f"time-stamped at epoch {stamp}" if stamp else "no time stamps: times rest on this machine's clock alone",
    ))  # fmt: skip


def _unsealed(work: Work) -> int:
    """How many events came after what the newest epochs saw."""
    newest = select(EpochHead.stream, func.max(EpochHead.epoch).label("epoch")).group_by(EpochHead.stream).subquery()
    there = (EpochHead.stream == newest.c.stream) & (EpochHead.epoch == newest.c.epoch)
    total = select(func.coalesce(func.sum(EpochHead.seq), 0)).join(newest, there)
    sealed = work.db.execute(total).scalar_one()
    return int(work.db.execute(select(func.count()).select_from(Event)).scalar_one() - sealed)


def _key(folder: Path) -> Iterator[Check]:
    path = folder / "key.pem"
    if not path.exists():
        yield Check("key", "ok", Text("封存密钥不在这台机器上", "the signer's key is not on this machine"))
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    good = not mode & 0o077
    yield Check("key", "missing" if good else "wrong", Text(
        "封存密钥与数据库在同一台机器上：适于单机使用，正式使用请另机另账号运行 signer"
        if good else f"封存密钥可被他人读取（权限 {mode:o}）",
        "the signer's key lies on this machine: right for a single machine; in production run the signer elsewhere"
        if good else f"others can read the signer's key (mode {mode:o})",
    ))  # fmt: skip


def _people(work: Work) -> Iterator[Check]:
    demo = [one for one in everybody(work) if str(one["login"]).startswith("demo.")]
    if demo:
        yield Check("people", "missing", Text(
            "这是演示环境：任何人都可以充当任何人", "this is a demonstration: anybody can be anybody"
        ))  # fmt: skip
