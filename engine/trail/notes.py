"""Signs checkpoints and lists of files with Ed25519, and keeps the keys; to verify is ``offline``'s."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from engine.errors import Unusable
from engine.trail.offline import LOG_KEY, PAYLOAD, WITNESS_KEY, Key, canonical, cosigned, key_number, pae


class Signing:
    """A private key under a name, for a log or for a witness."""

    def __init__(self, name: str, secret: Ed25519PrivateKey, kind: int = LOG_KEY) -> None:
        """``kind``: that of a log or that of a witness."""
        self.secret = secret
        public = secret.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        raw = bytes([kind]) + public
        self.key = Key(name, key_number(name, raw), kind, public)

    @property
    def published(self) -> str:
        """The public key as others write it down: ``name+hash+base64``."""
        raw = bytes([self.key.kind]) + self.key.public
        return f"{self.key.name}+{self.key.number.hex()}+{base64.b64encode(raw).decode()}"

    def line(self, text: str) -> str:
        """The signature line of a log under the text of a checkpoint."""
        return self._line(self.secret.sign(text.encode()))

    def witness(self, text: str, seconds: int) -> str:
        """The signature line of a witness (cosignature/v1) at a time in seconds since 1970."""
        time = seconds.to_bytes(8, "big")
        return self._line(time + self.secret.sign(cosigned(text, time)))

    def _line(self, signature: bytes) -> str:
        return f"— {self.key.name} {base64.b64encode(self.key.number + signature).decode()}\n"


def envelope(payload: bytes, keys: Sequence[Signing]) -> str:
    """The list of files of a bundle, signed with each of these keys (DSSE)."""
    signatures = [
        {"keyid": key.key.number.hex(), "sig": base64.b64encode(key.secret.sign(pae(payload))).decode()} for key in keys
    ]
    said = {"payload": base64.b64encode(payload).decode(), "payloadType": PAYLOAD, "signatures": signatures}
    return str(canonical(said))


def checkpoint_text(origin: str, size: int, root: bytes) -> str:
    """What a log signs: its name, how many epochs it has, and their root."""
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"


def signing_key(path: Path, name: str, kind: int = LOG_KEY) -> Signing:
    """The key in this file; drawn and kept, readable for its owner only, if there is no such file.

    Unusable: the file holds no such key.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        drawn = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o400)
        with os.fdopen(handle, "wb") as file:
            file.write(drawn)
            file.flush()
            os.fsync(file.fileno())
    try:
        secret = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise Unusable(f"无法读取签名密钥“{path}”", f"the signing key {str(path)!r} cannot be read") from error
    if not isinstance(secret, Ed25519PrivateKey):
        raise Unusable(f"“{path}”不是 Ed25519 密钥", f"{str(path)!r} is not an Ed25519 key")
    assert kind in (LOG_KEY, WITNESS_KEY)
    return Signing(name, secret, kind)
