"""Settings from a file and the environment, and what is told of wrong ones."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipeline.fetch import SERVICES
from pipeline.records import PipelineError
from pipeline.settings import Settings

FILE = """
contact = "clay@kiln.example.org"

[services.arxiv]
categories = ["cs.CL"]
interval = 5

[services.semantic-scholar]
enabled = true
api-key = "from-the-file"

[fetching]
attempts = 3
"""


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("PAPERCLAIMS_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def write(text: str, name: str = "paperclaims.toml") -> Path:
    path = Path(name)
    path.write_text(text)
    return path


def test_without_any_settings_there_are_those_of_the_services() -> None:
    settings = Settings.read()
    assert settings == Settings()
    assert settings.contact is None
    assert settings.services.arxiv.interval == 3
    assert [name for name in SERVICES if settings.services.of(name).enabled] == [
        "daily-papers", "arxiv"
    ]  # fmt: skip


def test_a_file_in_the_folder_is_read() -> None:
    write(FILE)
    settings = Settings.read()
    assert settings.contact == "clay@kiln.example.org"
    assert settings.services.arxiv.categories == ("cs.CL",)
    assert settings.services.arxiv.interval == 5
    assert settings.services.semantic_scholar.enabled
    assert settings.fetching.attempts == 3


def test_a_part_of_pyproject_is_read_where_there_is_no_file_of_its_own() -> None:
    write('[tool.paperclaims]\ncontact = "kiln@example.org"\n', "pyproject.toml")
    assert Settings.read().contact == "kiln@example.org"
    write(FILE)
    assert Settings.read().contact == "clay@kiln.example.org"
    assert Settings.read(Path("pyproject.toml")).contact == "kiln@example.org"


def test_a_pyproject_of_others_is_left_alone() -> None:
    write('[project]\nname = "kiln"\n', "pyproject.toml")
    assert Settings.read() == Settings()


def test_the_environment_goes_before_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    write(FILE)
    monkeypatch.setenv("PAPERCLAIMS_CONTACT", "other@kiln.example.org")
    monkeypatch.setenv("PAPERCLAIMS_SERVICES__SEMANTIC_SCHOLAR__API_KEY", "from-outside")
    monkeypatch.setenv("PAPERCLAIMS_SERVICES__ARXIV__CATEGORIES", "cs.CV, stat.ML")
    settings = Settings.read()
    assert settings.contact == "other@kiln.example.org"
    assert settings.services.arxiv.categories == ("cs.CV", "stat.ML")
    assert settings.services.arxiv.interval == 5  # as the file has it
    key = settings.services.semantic_scholar.api_key
    assert key is not None
    assert key.get_secret_value() == "from-outside"


def test_secrets_are_not_shown() -> None:
    write(FILE)
    settings = Settings.read()
    assert "from-the-file" not in f"{settings!r} {settings} {settings.model_dump_json()}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("contat = 'x'", "contat in paperclaims.toml: no such setting"),
        (
            "[services.arxiv]\nintervall = 3",
            "services.arxiv.intervall in paperclaims.toml: no such",
        ),
        (
            "[services.arxiv]\ninterval = 'often'",
            "services.arxiv.interval in paperclaims.toml: Input should be a valid number",
        ),
        (
            "[services.arxiv]\ncategories = ['cs.CL OR all:kilns']",
            "services.arxiv.categories in paperclaims.toml: a name of letters, digits and",
        ),
        (
            "[services.semantic-scholar]\naddress = 'file:///etc/passwd'",
            "services.semantic-scholar.address in paperclaims.toml: an address such as https://",
        ),
        (
            "[services.semantic-scholar]\naddress = 'https://a@b.example'",
            "services.semantic-scholar.address in paperclaims.toml: an address such as https://",
        ),
        (
            "[services.semantic-scholar]\napi-key = 'k'\naddress = 'http://kiln.example.org'",
            "services.semantic-scholar in paperclaims.toml: its api-key would be sent unencrypted",
        ),
        (
            "[services.openreview]\nenabled = true",
            "services.openreview in paperclaims.toml: it is enabled without venues; name some",
        ),
        (
            "[services.semantic-scholar]\napi-key = 'kiln\u00a0key'",
            "services.semantic-scholar in paperclaims.toml: its api-key has blanks or signs that no",
        ),
        ("contact = 'töpfer@kiln.example.org'", "contact in paperclaims.toml: String should match"),
        ("contact = 'two words'", "contact in paperclaims.toml: String should match"),
        ("contact = ", "paperclaims.toml: not a file of settings: Invalid value"),
    ],
)
def test_a_wrong_setting_is_told_by_its_name_and_file(text: str, told: str) -> None:
    write(text)
    with pytest.raises(PipelineError) as error:
        Settings.read()
    assert str(error.value).startswith(told)


def test_all_that_is_wrong_is_told_at_once() -> None:
    write("contat = 'x'\n[fetching]\nattempts = 0")
    with pytest.raises(PipelineError, match=r"fetching\.attempts in .*; contat in paper"):
        Settings.read()


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PAPERCLAIMS_CONTAKT", "x", "PAPERCLAIMS_CONTAKT in the environment: no such setting"),
        (
            "PAPERCLAIMS_SERVICES__ARXIW__INTERVAL",
            "3",
            "PAPERCLAIMS_SERVICES__ARXIW in the environment: no such setting",
        ),
        (
            "PAPERCLAIMS_SERVICES__ARXIV__INTERVAL",
            "often",
            "PAPERCLAIMS_SERVICES__ARXIV__INTERVAL in the environment: Input should be a valid num",
        ),
        (
            "PAPERCLAIMS_SERVICES__ARXIV__CATEGORIES",
            "cs.CL kilns",
            "PAPERCLAIMS_SERVICES__ARXIV__CATEGORIES in the environment: a name of letters, ",
        ),
    ],
)
def test_a_wrong_setting_of_the_environment_is_told_by_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(PipelineError) as error:
        Settings.read()
    assert str(error.value).startswith(told)


def test_a_part_of_what_is_no_part_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAPERCLAIMS_SERVICES", "all")
    monkeypatch.setenv("PAPERCLAIMS_SERVICES__ARXIV__INTERVAL", "3")
    with pytest.raises(PipelineError, match=r"^PAPERCLAIMS_SERVICES__ARXIV__INTERVAL in th"):
        Settings.read()


def test_a_wrong_secret_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAPERCLAIMS_SERVICES__SEMANTIC_SCHOLAR__ADDRESS", "http://kiln.example.org")
    monkeypatch.setenv("PAPERCLAIMS_SERVICES__SEMANTIC_SCHOLAR__API_KEY", "very-secret")
    with pytest.raises(PipelineError) as error:
        Settings.read()
    assert "very-secret" not in str(error.value)
    with pytest.raises(ValidationError) as told:
        Settings.model_validate({"services": {"semantic_scholar": {"api_key": ["very-secret"]}}})
    assert "very-secret" not in str(told.value)


def test_a_file_that_is_asked_for_must_be_there() -> None:
    with pytest.raises(PipelineError, match=r"^kiln\.toml: no such file of settings$"):
        Settings.read(Path("kiln.toml"))


def test_the_settings_that_the_readme_shows_are_right() -> None:
    page = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(shown) == 2
    settings = Settings.read(write("\n".join(shown)))
    assert settings.services.openreview.enabled
    assert settings.runs.landing == Path("/srv/paperclaims/landing")


def test_every_service_has_its_settings() -> None:
    for name in SERVICES:
        assert Settings().services.of(name).address.startswith("https://")
