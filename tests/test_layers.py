from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import pipeline

ROOT = Path(__file__).parents[1]
MODULES = sorted(module.name for module in pkgutil.walk_packages(pipeline.__path__, "pipeline."))


def test_imports_go_one_way_as_pyproject_says() -> None:
    told = subprocess.run(
        ["lint-imports", "--no-logo", "--no-cache"],
        executable=Path(sys.executable).with_name("lint-imports"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert "Contracts: 2 kept, 0 broken." in told.stdout


def test_the_whole_package_can_be_imported_without_prefect() -> None:
    block = "import sys; sys.modules['prefect'] = None; import importlib; "
    every = block + f"[importlib.import_module(name) for name in {MODULES} if 'main' not in name]"
    subprocess.run([sys.executable, "-c", every], cwd=ROOT, check=True)


@pytest.mark.parametrize("module", MODULES)
def test_no_module_has_a_name_that_says_nothing(module: str) -> None:
    assert module.rpartition(".")[2] not in {"utils", "helpers", "common", "base", "core"}


@pytest.mark.parametrize("name", pipeline.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(pipeline, name) is not None
    assert name in dir(pipeline)


def test_a_public_name_is_the_one_of_its_module() -> None:
    records = importlib.import_module("pipeline.records")
    assert pipeline.Paper is records.Paper


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'pipeline' has no attribute 'nothing'"):
        _ = pipeline.nothing


def test_importing_the_package_takes_no_large_library() -> None:
    told = subprocess.run(
        [sys.executable, "-c", "import sys, pipeline; print(*sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert {"spacy", "pyarrow", "pandas", "rich", "typer", "yaml"}.isdisjoint(told.stdout.split())
