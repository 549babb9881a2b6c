from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PAGES = [ROOT / name for name in ("README.md", "CHANGELOG.md")]


def shell_blocks() -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_ci_runs_the_two_commands_of_the_readme_and_each_is_one_line() -> None:
    run_by_ci = subprocess.run(
        ["bash", ROOT / ".ci" / "run", "commands"], capture_output=True, text=True, check=True
    ).stdout
    install_and_run, install_and_test, *_ = shell_blocks()
    assert run_by_ci == install_and_run + install_and_test
    assert [command.count("\n") for command in (install_and_run, install_and_test)] == [1, 1]


def test_the_first_command_runs_the_program_and_the_second_its_tests() -> None:
    install_and_run, install_and_test, *_ = shell_blocks()
    for command in (install_and_run, install_and_test):
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip install ")
        assert " -c constraints.txt " in command
    assert install_and_run.rpartition("&& ")[2] == ".venv/bin/paperclaims run --out outputs\n"
    assert install_and_test.rpartition("&& ")[2] == ".venv/bin/pytest\n"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    linked = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in linked if not (page.parent / link).exists()] == []


def test_the_constraints_pin_every_requirement_once_and_name_no_address() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line.split(" ; ")[0] for line in lines if not line.startswith("#")]
    names = [_normal(pin.partition("==")[0]) for pin in pins]
    assert [pin for pin in pins if not re.fullmatch(r"[\w.-]+==[\w.]+", pin)] == []
    assert len(names) == len(set(names))
    extras = PROJECT["optional-dependencies"].values()
    required = [*PROJECT["dependencies"], *(one for extra in extras for one in extra)]
    asked = {_normal(re.match(r"[\w-]+", one)[0]) for one in required}  # type: ignore[index]
    assert asked - {PROJECT["name"]} <= set(names)  # an extra may ask for another of our own


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
