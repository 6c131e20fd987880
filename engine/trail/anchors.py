"""Anchors outside: has witnesses cosign a checkpoint, and a time-stamping authority stamp it (RFC 3161)."""

from __future__ import annotations

import base64
import hashlib
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.x509 import load_pem_x509_certificates
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from engine.errors import Refusal, WrongUsage
from engine.trail.offline import Checkpoint, Key, has_signed, read_checkpoint
from engine.trail.tree import consistency

PATIENCE = 10.0  # seconds
MOST_ANSWER = 1 << 20


class Unanchored(Refusal):
    """A witness or an authority did not do what was asked; the checkpoint stands without it."""

    code = "unanchored"


@dataclass(frozen=True, slots=True)
class Outside:
    """A witness's address and key."""

    url: str
    key: Key


def witnesses_of(setting: str) -> list[Outside]:
    """The witnesses of the setting LIUHEN_WITNESSES: address and key, in turn. WrongUsage: it says something else."""
    words = setting.split()
    try:
        return [Outside(url, Key.read(key)) for url, key in zip(words[::2], words[1::2], strict=True)]
    except ValueError as error:
        raise WrongUsage(
            f"LIUHEN_WITNESSES 应为“地址 公钥”成对列出：{error}",
            f"LIUHEN_WITNESSES lists pairs of address and key: {error}",
        ) from error


def cosigned(outside: Outside, note: str, leaves: Sequence[bytes]) -> str:
    """The cosignature line of a witness under this checkpoint of a log with these leaves.

    Unanchored: it cannot be reached, declines, or has cosigned a longer log than this one (which means that this
    database, and the signer with it, went back).
    """
    point = read_checkpoint(note)
    old, text = 0, ""
    for _ in range(3):  # the first answer tells from where it wants to be convinced
        proof = "".join(f"{base64.b64encode(each).decode()}\n" for each in consistency(leaves, old))
        status, said = _post(
            f"{outside.url.rstrip('/')}/add-checkpoint", f"old {old}\n{proof}\n{note}".encode(), "text/plain"
        )
        text = said.decode("utf-8", "replace")
        if status == 200:
            return _checked(outside, point, text)
        if status != 409 or not text.strip().isdigit():
            break
        old = int(text)
        if old > point.size:
            raise Unanchored(
                f"疑似回退：见证 {outside.key.name} 已签到第 {old} 期，而这里只到第 {point.size} 期",
                f"rollback suspected: witness {outside.key.name} cosigned epoch {old}, this log ends at {point.size}",
            )
    raise Unanchored(
        f"见证 {outside.key.name} 没有签署：{text.strip()[:200]}",
        f"the witness {outside.key.name} did not cosign: {text.strip()[:200]}",
    )


def _checked(outside: Outside, point: Checkpoint, line: str) -> str:
    try:
        good = has_signed(read_checkpoint(f"{point.text}\n{line}"), outside.key)
    except ValueError:
        good = False
    if not good:
        raise Unanchored(
            f"见证 {outside.key.name} 的签名不成立", f"the signature of the witness {outside.key.name} does not hold"
        )
    return line


def stamped(url: str, authority: Path, text: str) -> bytes:
    """The time stamp of an authority over the text of a checkpoint, checked against the authority's certificates.

    ``authority`` is a PEM file with the root first. Unanchored: no stamp, or not of this text and this authority.
    """
    query = TimestampRequestBuilder().data(text.encode()).hash_algorithm(HashAlgorithm.SHA256).nonce(nonce=True).build()
    _, said = _post(url, query.as_bytes(), "application/timestamp-query")
    try:
        root, *others = load_pem_x509_certificates(authority.read_bytes())
        verifier = VerifierBuilder.from_request(query).add_root_certificate(root)
        for each in others:
            verifier = verifier.add_intermediate_certificate(each)
        verifier.build().verify(decode_timestamp_response(said), hashlib.sha256(text.encode()).digest())
    except (ValueError, OSError, VerificationError) as error:
        raise Unanchored(f"时间戳不成立：{error}", f"the time stamp does not hold: {error}") from error
    return said


def _post(url: str, data: bytes, media: str) -> tuple[int, bytes]:
    if not url.startswith(("http://", "https://")):
        raise WrongUsage(f"“{url}”不是 http 地址", f"{url!r} is no http address")
    asked = urllib.request.Request(url, data, {"Content-Type": media})  # noqa: S310 - its scheme was looked at above
    try:
        with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:  # noqa: S310
            return answer.status, answer.read(MOST_ANSWER)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(MOST_ANSWER)
    except OSError as error:
        raise Unanchored(f"无法联系 {url}：{error}", f"{url} cannot be reached: {error}") from error
