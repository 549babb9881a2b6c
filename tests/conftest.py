"""What all tests share: the same world on every machine."""

from __future__ import annotations

import os

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
