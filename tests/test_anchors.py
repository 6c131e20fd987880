"""Anchors that need no program of ours to check: time stamps of an authority, and signatures, both by openssl alone."""

from __future__ import annotations

import base64
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID
from sqlalchemy import select

from engine.errors import WrongUsage
from engine.trail.anchors import Unanchored, stamped, witnesses_of
from engine.trail.bundle import export
from engine.trail.offline import read_checkpoint
from engine.trail.sealing import STAMP_EVERY, Sealing
from engine.trail.signer import Signer
from engine.trail.tables import Anchor
from tests.bundles import Exported, unzipped
from tests.office import Office

pytest_plugins = ["tests.furnished", "tests.exporting"]

TSA = """
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
[stamping]
extendedKeyUsage = critical,timeStamping
"""


def openssl(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run openssl; it must succeed."""
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


@dataclass(slots=True)
class Authority:
    """A time-stamping authority on this machine: where it is, and the certificate of its root."""

    url: str
    root: Path


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    folder = tmp_path / "tsa"
    folder.mkdir()
    (folder / "conf").write_text(TSA.format(folder=folder))
    (folder / "serial").write_text("01\n")
    root, key, request, certificate = (folder / name for name in ("ca.pem", "key.pem", "tsa.csr", "tsa.pem"))
    new = ("-newkey", "rsa:2048", "-nodes", "-keyout")
    openssl("req", "-x509", *new, folder / "ca.key", "-subj", "/CN=Test root", "-days", "30", "-out", root)
    openssl("req", *new, key, "-subj", "/CN=Test stamps", "-out", request)
    extensions = ("-extfile", folder / "conf", "-extensions", "stamping")
    signing = ("-CA", root, "-CAkey", folder / "ca.key", "-CAcreateserial", "-days", "30")
    openssl("x509", "-req", "-in", request, *signing, *extensions, "-out", certificate)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query, reply = folder / "query", folder / "reply"
            query.write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            openssl(
                "ts", "-reply", "-config", folder / "conf", "-queryfile", query, "-signer", certificate,
                "-inkey", key, "-out", reply,
            )  # fmt: skip
            self.send_response(200)
            self.end_headers()
            self.wfile.write(reply.read_bytes())

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    serving = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    beside = threading.Thread(target=serving.serve_forever)
    beside.start()
    yield Authority(f"http://127.0.0.1:{serving.server_address[1]}", root)
    serving.shutdown()
    serving.server_close()
    beside.join()


def test_a_time_stamp_is_taken_and_openssl_alone_verifies_it(authority: Authority, tmp_path: Path) -> None:
    text = "liuhen/x\n1\nAAAA\n"
    (tmp_path / "text").write_text(text)
    (tmp_path / "stamp.tsr").write_bytes(stamped(authority.url, authority.root, text))
    own = authority.root.with_name("tsa.pem")
    openssl(
        "ts", "-verify", "-data", tmp_path / "text", "-in", tmp_path / "stamp.tsr", "-CAfile", authority.root,
        "-untrusted", own,
    )  # fmt: skip


def test_a_stamp_of_another_authority_is_refused(authority: Authority, tmp_path: Path) -> None:
    openssl(
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "k", "-subj", "/CN=Another",
        "-out", tmp_path / "another.pem",
    )  # fmt: skip
    with pytest.raises(Unanchored, match="does not hold"):
        stamped(authority.url, tmp_path / "another.pem", "x")


def run_out(authority: Authority, begin: timedelta, end: timedelta) -> None:
    """The authority stamps with a certificate that is in force from and to these moments, counted from now."""
    folder = authority.root.parent
    root, old = (x509.load_pem_x509_certificate((folder / name).read_bytes()) for name in ("ca.pem", "tsa.pem"))
    key = load_pem_private_key((folder / "ca.key").read_bytes(), None)
    assert isinstance(key, RSAPrivateKey)
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(old.subject).issuer_name(root.subject).public_key(old.public_key())
    made = made.serial_number(7).not_valid_before(now + begin).not_valid_after(now + end)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    signed = made.add_extension(usage, critical=True).sign(key, SHA256())
    (folder / "tsa.pem").write_bytes(signed.public_bytes(Encoding.PEM))


def test_a_stamp_with_a_certificate_that_had_run_out_is_refused(authority: Authority) -> None:
    """Attack B19: yesterday's certificate, today's stamp; and one that is not yet in force."""
    assert stamped(authority.url, authority.root, "x")
    for begin, end in ((-2, -1), (1, 2)):
        run_out(authority, timedelta(days=begin), timedelta(days=end))
        with pytest.raises(Unanchored, match="does not hold"):
            stamped(authority.url, authority.root, "x")


def test_a_stamp_outlives_its_certificate_for_whoever_names_the_day(authority: Authority, tmp_path: Path) -> None:
    """Attack B19: years later openssl wants to be told as of when; a stamp of another text stays refused."""
    (tmp_path / "text").write_text("x")
    (tmp_path / "stamp.tsr").write_bytes(stamped(authority.url, authority.root, "x"))
    now = int(datetime.now(UTC).timestamp())

    def verified(seconds: int) -> int:
        known = ("-CAfile", authority.root, "-untrusted", authority.root.with_name("tsa.pem"))
        asked = ["ts", "-verify", "-data", tmp_path / "text", "-in", tmp_path / "stamp.tsr", *known]
        command = ["openssl", *map(str, asked), "-attime", str(seconds)]
        return subprocess.run(command, capture_output=True, check=False).returncode

    assert verified(now) == 0
    assert verified(now + 40 * 86400) == 1
    (tmp_path / "text").write_text("y")
    assert verified(now) == 1


def test_checkpoints_are_stamped_once_a_day_and_the_stamp_goes_into_the_bundle(
    office: Office, authority: Authority, tmp_path: Path
) -> None:
    with office.database.look("system") as work:
        signer = Signer.of(work, tmp_path / "signer")
    sealing = Sealing(office.database, signer, [], (authority.url, authority.root))
    case = office.start()
    sealing.once()

    def stamps() -> list[int]:
        with office.database.look("system") as work:
            return list(work.db.execute(select(Anchor.epoch).where(Anchor.kind == "tsa")).scalars())

    assert stamps() == [1]
    files = unzipped(export(office.database, case, "system", patience=0).data)
    whole = Exported(files, signer.key, tmp_path)
    assert "trail/anchors/tsa.tsr" in files
    assert whole.verified() == ["the list is not signed"]  # there was no signer to ask
    other = {**files, "trail/anchors/tsa.tsr": stamped(authority.url, authority.root, "something else")}
    assert any("not a time stamp of this checkpoint" in each for each in whole.verified(other))
    office.start(contract_no="HT-2")
    office.later(minutes=10)
    sealing.once()
    assert stamps() == [1]
    office.start(contract_no="HT-3")
    office.later(seconds=STAMP_EVERY.total_seconds())
    sealing.once()
    assert stamps() == [1, 3]


def test_openssl_alone_verifies_the_signature_of_a_checkpoint(exported: Exported, tmp_path: Path) -> None:
    """The second path of the README: no code of ours has to be trusted."""
    point = read_checkpoint(exported.files["trail/checkpoint.txt"].decode())
    (tmp_path / "checkpoint.text").write_text(point.text)
    (tmp_path / "checkpoint.sig").write_bytes(point.signatures[0][2])
    public = exported.key.secret.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    # The last 32 bytes of the published key are the public key; before them stands what every Ed25519 key begins with.
    raw = base64.b64decode(exported.key.published.split("+", 2)[2])[1:]
    assert public == bytes.fromhex("302a300506032b6570032100") + raw
    (tmp_path / "key.der").write_bytes(public)
    said = openssl(
        "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", tmp_path / "key.der", "-keyform", "DER",
        "-sigfile", tmp_path / "checkpoint.sig", "-in", tmp_path / "checkpoint.text",
    )  # fmt: skip
    assert "Signature Verified Successfully" in said.stdout


@pytest.mark.parametrize("setting", ["http://127.0.0.1:1", "http://127.0.0.1:1 nonsense"])
def test_settings_that_say_something_else_are_refused(setting: str) -> None:
    with pytest.raises(WrongUsage, match="pairs of address and key"):
        witnesses_of(setting)


def test_an_authority_needs_its_certificates(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIUHEN_TSA", "http://127.0.0.1:1")
    with pytest.raises(WrongUsage, match="go together"):
        Sealing.of(office.database, tmp_path / "signer")
    with pytest.raises(WrongUsage, match="no http address"):
        stamped("file:///etc/passwd", tmp_path / "x", "x")
