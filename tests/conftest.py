"""What all tests share: the same world on every machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from hypothesis import settings

# A busy machine is slow, not wrong.
settings.register_profile("paperclaims", deadline=None)
settings.load_profile("paperclaims")

# Colours and widths are those of a pipe, whatever terminal or CI the tests run in.
for name in ("FORCE_COLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE", "COLUMNS", "PREFECT_API_URL"):
    os.environ.pop(name, None)
os.environ["TERM"] = "xterm-256color"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow tests are about time and processes, which tracing every line would only distort."""
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker("no_cover")


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The address of a bucket on an S3-compatible server of this machine.

    One for all tests of a process: readers keep the address they were told first.
    """
    fsspec = pytest.importorskip("fsspec")
    pytest.importorskip("s3fs", reason="pip install 'paperclaims[s3]'")
    pytest.importorskip("moto", reason="pip install 'paperclaims[test]'")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    quiet = subprocess.DEVNULL
    given = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    before = {name: os.environ.get(name) for name in given}
    os.environ |= given
    server = subprocess.Popen(command, stdout=quiet, stderr=quiet)
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert server.poll() is None
            time.sleep(0.1)
        files = fsspec.filesystem("s3", skip_instance_cache=True)
        files.mkdir("papers")
        yield "s3://papers"
    finally:
        server.terminate()
        server.wait()
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
