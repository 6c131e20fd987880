"""The server as a program: it says where it is, keeps its secret to itself, fires timers, and stops when told to."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from engine import people
from engine.errors import Unusable
from engine.people import everybody
from engine.work import SYSTEM, Database
from tests.conftest import NewDatabase
from webui.cli import main
from webui.serve import address, kept_secret, proxies_before, secret_of

if TYPE_CHECKING:
    from tests.office import NewOffice

pytest_plugins = ["tests.furnished"]

HOME = Path(__file__).resolve().parents[1]
PROGRAM = """
import sys
from engine.work import Database
from webui.serve import run
run(Database(sys.argv[1]), "127.0.0.1", int(sys.argv[2]), demo=sys.argv[3] == "demo")
"""


class Served:
    """A server in a process of its own."""

    def __init__(self, url: str, *, port: int = 0, demo: bool = False, **settings: str) -> None:
        environment = {**os.environ, **settings, "PYTHONPATH": str(HOME)}
        command = [sys.executable, "-P", "-c", PROGRAM, url, str(port), "demo" if demo else "real"]
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
        )
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline()
        found = re.search(r"http://\S+/", self.line)
        self.base = found[0] if found else ""

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(self.base + path, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=20)
        return self.process.returncode, said


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    with ExitStack() as stack:

        def start(*arguments: object, **named: object) -> Served:
            served = Served(*arguments, **named)  # type: ignore[arg-type]
            stack.callback(served.process.__exit__, None, None, None)
            stack.callback(served.process.kill)
            return served

        yield start


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_is_once_it_answers_and_stops_cleanly_when_told_to(
    serve: Callable[..., Served], new_database: NewDatabase, number: int
) -> None:
    served = serve(new_database("sqlite"), demo=True)
    assert served.line.startswith("留痕 Liuhen  http://127.0.0.1:")
    assert served.get("health") == (200, "ok\n")
    status, page = served.get("")
    assert status == 200 and "登录" in page and "演示环境" in page
    assert served.stop(number) == (0, "")


def test_the_worker_beside_it_fires_due_timers(serve: Callable[..., Served], new_office: NewOffice) -> None:
    office = new_office("sqlite")
    case = office.start()  # in March, with five working days
    served = serve(office.url)
    for _ in range(100):
        if "timer.fired" in office.kinds(case):
            break
        time.sleep(0.1)
    assert office.kinds(case).count("timer.fired") == 1
    assert served.stop()[0] == 0


def test_a_taken_port_is_a_sentence(serve: Callable[..., Served], new_database: NewDatabase) -> None:
    first = serve(new_database("sqlite"))
    second = serve(new_database("sqlite"), port=int(first.base.rstrip("/").rpartition(":")[2]))
    assert second.line == ""
    _, said = second.process.communicate(timeout=20)
    assert "Unusable" in said and "cannot serve on 127.0.0.1" in said


def test_a_body_beyond_all_limits_is_refused_with_a_page(
    serve: Callable[..., Served], new_database: NewDatabase
) -> None:
    served = serve(new_database("sqlite"))
    body = b"x" * 50_000_000
    request = urllib.request.Request(served.base + "session", body, {"Content-Type": "multipart/form-data; boundary=b"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=60)
    with refused.value as answer:
        assert answer.code == 413 and "提交的内容过大" in answer.read().decode()


def test_the_secret_is_made_once_beside_the_database_for_its_owner_alone(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/var/liuhen.db")
    secret = secret_of(database)
    assert len(secret) == 64 and secret_of(database) == secret
    assert stat.S_IMODE((tmp_path / "var" / "secret").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "var").iterdir()] == ["secret"]
    database.close()


def test_of_many_who_make_the_secret_at_once_all_get_the_same(tmp_path: Path) -> None:
    found: list[str] = []
    together = threading.Barrier(8)

    def make() -> None:
        together.wait()
        found.append(kept_secret(tmp_path / "secret"))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and len(set(found)) == 1


def test_the_secret_of_the_environment_wins_and_must_be_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(f"sqlite:///{tmp_path}/liuhen.db")
    monkeypatch.setenv("LIUHEN_SECRET", "s" * 32)
    assert secret_of(database) == "s" * 32
    assert not (tmp_path / "secret").exists()
    monkeypatch.setenv("LIUHEN_SECRET", "short")
    with pytest.raises(Unusable, match="at least 32"):
        secret_of(database)
    database.close()


def test_the_number_of_proxies_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    assert proxies_before() == 0
    monkeypatch.setenv("LIUHEN_PROXIES", "2")
    assert proxies_before() == 2
    monkeypatch.setenv("LIUHEN_PROXIES", "some")
    with pytest.raises(Unusable, match="should be a number"):
        proxies_before()


def test_a_new_database_becomes_a_demonstration_by_the_command(tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-m", "webui", "--database", f"{tmp_path}/var/new.db", "serve", "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(HOME)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        assert process.stdout is not None
        found = re.search(r"http://\S+/", process.stdout.readline())
        assert found
        with urllib.request.urlopen(f"{found[0]}sign-in", timeout=20) as answer:
            page = answer.read().decode()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert "演示环境" in page and "登记员 陈敏" in page
    assert (tmp_path / "var" / "secret").exists()


def test_a_database_with_real_people_never_becomes_a_demonstration(
    new_database: NewDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, served = new_database("sqlite"), []
    with closing(Database(url)) as database, database.work(SYSTEM) as work:
        people.add(work, "chen", "陈真", ["registrar"], password="a long password")
    monkeypatch.setattr("webui.cli.run", lambda *_, demo, **__: served.append(demo))
    assert CliRunner().invoke(main, ["--database", url, "serve"]).exit_code == 0
    refused = CliRunner().invoke(main, ["--database", url, "serve", "--demo", "3"])
    assert refused.exit_code == 2 and "已登记真实人员" in refused.stderr
    assert CliRunner().invoke(main, ["--database", url, "serve", "--demo", "3", "--no-demo"]).exit_code == 2
    assert served == [False]
    with closing(Database(url)) as database, database.look(SYSTEM) as work:
        assert [one["login"] for one in everybody(work)] == ["chen"]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "http://127.0.0.1:80/"),
        ("0.0.0.0", "http://127.0.0.1:80/"),
        ("::1", "http://[::1]:80/"),
        ("h", "http://h:80/"),
    ],
)
def test_the_address_can_be_opened_in_a_browser(host: str, expected: str) -> None:
    assert address(host, 80, object()) == expected
