"""The browser of the tests: the system's Chromium, found or, as root on Debian, installed; driving it is others'."""

from __future__ import annotations

import ctypes.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGES = ("chromium", "fonts-noto-cjk", "libpangoft2-1.0-0", "libharfbuzz-subset0", "openssl")
FLAGS = (
    "--headless=new",
    "--no-sandbox",  # root has none; the pages are our own
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
)


class Missing(Exception):
    """There is no browser and none can be installed; the message says what to do."""


def find() -> Path | None:
    """The browser: the one ``LIUHEN_TEST_CHROMIUM`` names, else the first known name on the path.

    Raises Missing when that setting names no program.
    """
    named = os.environ.get("LIUHEN_TEST_CHROMIUM")
    if named:
        if not os.access(named, os.X_OK):
            raise Missing(f"LIUHEN_TEST_CHROMIUM 不是程序。It names no program: {named}")
        return Path(named)
    return next((Path(found) for name in NAMES if (found := shutil.which(name))), None)


def ensure() -> Path:
    """The browser, with fonts, openssl and what WeasyPrint needs, installed from Debian's packages where possible.

    Raises Missing when there is no browser and this is not Debian or not root.
    """
    browser = find()
    if (browser is None or not _has_the_rest()) and _may_install():
        _install()
        browser = find()
    if browser is None:
        raise Missing(
            "没有找到 Chromium,浏览器测试无法进行。请安装(Debian:apt install chromium fonts-noto-cjk),"
            "或用 LIUHEN_TEST_CHROMIUM 指明。\n"
            "No Chromium was found, so the browser tests cannot run. "
            "Install it (Debian: apt install chromium fonts-noto-cjk) or name it in LIUHEN_TEST_CHROMIUM."
        )
    return browser


def _has_the_rest() -> bool:
    fonts = shutil.which("fc-list")
    if fonts is None or shutil.which("openssl") is None:
        return False
    if not subprocess.run([fonts, ":lang=zh"], capture_output=True, check=False).stdout:
        return False
    return all(ctypes.util.find_library(name) for name in ("pangoft2-1.0", "harfbuzz-subset"))


def _may_install() -> bool:
    return os.geteuid() == 0 and Path("/etc/debian_version").exists() and shutil.which("apt-get") is not None


def _install() -> None:
    sys.stderr.write(f"正在安装浏览器和中文字体。Installing the browser and Chinese fonts: {' '.join(PACKAGES)}\n")
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=600", "-o", "Acquire::Retries=3"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in ([*apt, "update"], [*apt, "install", "-y", "--no-install-recommends", *PACKAGES]):
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode != 0:
            sys.stderr.write(done.stdout.decode("utf-8", "replace")[-4000:])
