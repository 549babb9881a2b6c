"""Settings of a deployment, in one place: a TOML file and the environment, which goes first.

The file is paperclaims.toml, or the table [tool.paperclaims] of a pyproject.toml. The environment
has the same names in capitals behind PAPERCLAIMS_, levels parted by two underscores:
PAPERCLAIMS_CONTACT, PAPERCLAIMS_SERVICES__SEMANTIC_SCHOLAR__API_KEY. Of a list, there, commas part
the entries.
"""

from __future__ import annotations

import datetime
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from pipeline.records import PipelineError

FILE = "paperclaims.toml"
_PREFIX = "PAPERCLAIMS_"
_LOCAL = ("127.0.0.1", "localhost", "::1")


def _web_address(address: str) -> str:
    # Only what it begins with and names; a browser's leniency would hide what is sent where.
    scheme, _, rest = address.partition("://")
    if scheme not in ("http", "https") or not rest.strip("/") or "@" in rest or "?" in rest:
        raise ValueError("an address such as https://example.org/api is needed, http or https")
    return address.rstrip("/")


def _is_told_in_the_open(address: str) -> bool:
    split = urlsplit(address)
    return split.scheme != "https" and split.hostname not in _LOCAL


def _parted(value: object) -> object:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _word(text: str) -> str:
    # Such a word stands in a query; whatever else is in it would be read as a part of that.
    if not text or set(text) - set(_OF_A_WORD):
        raise ValueError("a name of letters, digits and . / : _ - is needed, such as cs.CL")
    return text


_SENDABLE = re.compile("[!-~]+").fullmatch
_OF_A_WORD = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./:_-"

Address = Annotated[str, AfterValidator(_web_address)]
Word = Annotated[str, AfterValidator(_word)]
Words = Annotated[tuple[Word, ...], BeforeValidator(_parted)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Service(_Part):
    """What is asked of one service, and how often."""

    enabled: bool = Field(default=False, description="Whether scheduled runs fetch from it.")
    address: Address
    interval: float = Field(
        ge=0, le=3600, description="Seconds from one request to the next, on this whole machine."
    )
    settles: int = Field(
        ge=0,
        le=60,
        description="Days after which what the service says of a day changes no more; until then "
        "a day that is fetched again is asked for anew, if it has changed.",
    )


class DailyPapers(Service):
    """Hugging Face Daily Papers."""

    enabled: bool = True
    address: Address = "https://huggingface.co"
    interval: float = Field(default=1.0, ge=0, le=3600)
    page_size: int = Field(default=100, ge=1, le=100)
    settles: int = Field(default=2, ge=0, le=60)


class Arxiv(Service):
    """The Atom API of arXiv: papers submitted on a day, by category."""

    enabled: bool = True
    address: Address = "https://export.arxiv.org/api"
    # "no more than one request every three seconds", one connection at a time.
    interval: float = Field(default=3.0, ge=0, le=3600)
    page_size: int = Field(default=500, ge=1, le=2000)
    # Those submitted on a Friday are announced on Monday, and some are held back.
    settles: int = Field(default=5, ge=0, le=60)
    categories: Words = Field(default=("cs.CL", "cs.AI", "cs.LG", "cs.CV", "cs.IR"), min_length=1)


class ArxivOai(Service):
    """The OAI-PMH interface of arXiv: papers added or revised on a day, by set."""

    address: Address = "https://oaipmh.arxiv.org/oai"
    interval: float = Field(default=3.0, ge=0, le=3600)
    settles: int = Field(default=1, ge=0, le=60)
    sets: Words = Field(default=("cs",), min_length=1)
    metadata: Literal["arXiv", "arXivRaw", "oai_dc"] = "arXiv"


class OpenReview(Service):
    """Notes of OpenReview (API v2), by venue; which venues, must be said."""

    address: Address = "https://api2.openreview.net"
    # Guests may ask 20 times a minute.
    interval: float = Field(default=3.0, ge=0, le=3600)
    page_size: int = Field(default=1000, ge=1, le=1000)
    settles: int = Field(default=1, ge=0, le=60)
    venues: Words = ()

    @model_validator(mode="after")
    def _has_venues(self) -> Self:
        if self.enabled and not self.venues:
            raise ValueError(
                "it is enabled without venues; name some, such as "
                'venues = ["ICLR.cc/2027/Conference"]'
            )
        return self


class SemanticScholar(Service):
    """The bulk search of Semantic Scholar's API: papers published on a day."""

    address: Address = "https://api.semanticscholar.org/graph/v1"
    interval: float = Field(default=1.0, ge=0, le=3600)
    settles: int = Field(default=7, ge=0, le=60)
    query: str = Field(default="model | learning | benchmark", min_length=1)
    fields_of_study: Annotated[tuple[str, ...], BeforeValidator(_parted)] = ("Computer Science",)
    api_key: SecretStr | None = None

    @model_validator(mode="after")
    def _keeps_its_key(self) -> Self:
        if self.api_key is not None and _is_told_in_the_open(self.address):
            raise ValueError("its api-key would be sent unencrypted; give an https address")
        if self.api_key is not None and not _SENDABLE(self.api_key.get_secret_value()):
            raise ValueError("its api-key has blanks or signs that no key has")
        return self


class Services(_Part):
    """One part for each service, named as in `pipeline.fetch.SERVICES`, - written as _."""

    daily_papers: DailyPapers = DailyPapers()
    arxiv: Arxiv = Arxiv()
    arxiv_oai: ArxivOai = ArxivOai()
    openreview: OpenReview = OpenReview()
    semantic_scholar: SemanticScholar = SemanticScholar()

    def of(self, name: str) -> Service:
        """The part of the service of this name: `daily-papers`."""
        part: Service = getattr(self, name.replace("-", "_"))
        return part


class Fetching(_Part):
    """How patient every fetch is, and how much it takes."""

    attempts: int = Field(default=6, ge=1, le=100, description="How often one page is asked for.")
    wait: float = Field(
        default=2.0,
        ge=0,
        le=600,
        description="Seconds before the second attempt; doubled each time.",
    )
    longest_wait: float = Field(
        default=600.0, ge=0, description="Seconds; a service that asks for more is left for later."
    )
    timeout: float = Field(default=60.0, gt=0, description="Seconds in which something must come.")
    longest_answer: float = Field(
        default=300.0, gt=0, description="Seconds that a whole answer may take."
    )
    largest_answer: int = Field(default=32_000_000, ge=1, description="Bytes, unpacked.")


class Runs(_Part):
    """What scheduled runs work with; folders are those of the process that runs."""

    out: str = Field(
        default="outputs", min_length=1, description="Folder or address of the tables."
    )
    landing: Path = Field(
        default=Path("landing"), description="The folder of what services gave, as it came."
    )
    rules: tuple[Path, ...] = Field(default=(), description="Folders of your own rules.")
    workers: int | None = Field(
        default=None, ge=1, description="Processes that extract; else one for each processor."
    )
    since: datetime.date | None = Field(
        default=None,
        description="The first day to fetch; else the first that was published, and to begin with "
        "yesterday.",
    )
    fresh: int = Field(
        default=2,
        ge=0,
        le=365,
        description="Days that the newest day of a service may lie behind.",
    )
    wait: float = Field(
        default=3600.0, ge=0, description="Seconds that a run waits for another to end."
    )
    pages: Address | None = Field(
        default=None, description="Where browsers find the folder of the tables, if anywhere."
    )


class Settings(_Part):
    """All settings, checked. `Settings.read` reads them; `Settings()` is what is without any."""

    contact: str | None = Field(
        default=None,
        min_length=3,
        pattern=r"^[!-'*-:=?-~]+$",
        description="An e-mail or web address, which services are told with every request.",
    )
    services: Services = Services()
    fetching: Fetching = Fetching()
    runs: Runs = Runs()

    @classmethod
    def read(cls, path: Path | None = None) -> Self:
        """The settings of this file and of the environment.

        Without a path these are paperclaims.toml, or else [tool.paperclaims] of pyproject.toml, of
        the current folder, if they are there. PipelineError names the setting, where it stands and
        what would be right.
        """
        file, told = _of_file(path)
        environment = _of_environment(cls)
        try:
            return cls(**_merged(told, environment))
        except ValidationError as error:
            found = [_told(one, file, environment) for one in error.errors(include_url=False)]
            raise PipelineError("; ".join(dict.fromkeys(found))) from None


def _of_file(path: Path | None) -> tuple[str, dict[str, Any]]:
    candidates = [path] if path else [Path(FILE), Path("pyproject.toml")]
    for candidate in candidates:
        try:
            told = tomllib.loads(candidate.read_text(encoding="utf-8"))
        except FileNotFoundError:
            if path:
                raise PipelineError(f"{path}: no such file of settings") from None
            continue
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise PipelineError(f"{candidate}: not a file of settings: {error}") from error
        if candidate.name == "pyproject.toml":
            told = told.get("tool", {}).get("paperclaims", {})
            if not told and not path:
                continue
        return str(candidate), _with_underscores(told)
    return "the settings", {}


def _with_underscores(told: Mapping[str, Any]) -> dict[str, Any]:
    """TOML's names as Python's: semantic-scholar and semantic_scholar are one."""
    return {
        name.replace("-", "_"): _with_underscores(value) if isinstance(value, dict) else value
        for name, value in told.items()
    }


def _of_environment(settings: type[BaseModel]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in sorted(os.environ.items()):
        if not name.startswith(_PREFIX):
            continue
        *parts, last = name.removeprefix(_PREFIX).lower().split("__")
        if (parts or [last])[0] not in settings.model_fields:
            known = ", ".join(f"{_PREFIX}{field}".upper() for field in settings.model_fields)
            raise PipelineError(
                f"{name} in the environment: no such setting; there are {known}, with __ and the "
                "name of a part behind those that have parts"
            )
        below = found
        for part in parts:
            below = below.setdefault(part, {})
            if not isinstance(below, dict):
                raise PipelineError(f"{name} in the environment: what it is a part of is set, too")
        below[last] = value
    return found


def _merged(file: Mapping[str, Any], environment: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(file)
    for name, value in environment.items():
        below = merged.get(name)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[name] = _merged(below, value)
        else:
            merged[name] = value
    return merged


def _told(error: Any, file: str, environment: Mapping[str, Any]) -> str:
    """One fault: the setting, where it stands, and what would be right."""
    where: Any = environment
    names = [name for name in error["loc"] if isinstance(name, str)]
    for name in names:
        where = where.get(name) if isinstance(where, Mapping) else None
    if where is not None:
        setting = f"{_PREFIX}{'__'.join(names).upper()} in the environment"
    else:
        setting = f"{'.'.join(names).replace('_', '-')} in {file}"
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        message = "no such setting"
    return f"{setting}: {message}"
