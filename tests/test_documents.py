"""What README.md and rules/README.md show is what the program gives.

`python -m tests.test_documents` writes anew what stands between `<!-- made: ... -->` and
`<!-- end -->` in both.
"""

from __future__ import annotations

import ast
import contextlib
import itertools
import re
import shlex
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import typer
import yaml
from typer.testing import CliRunner

import pipeline
from pipeline import score
from pipeline.audit import catalogue
from pipeline.cli import app
from pipeline.examples import marked, silent
from pipeline.extract import Extractor
from pipeline.rules import SYMBOLS, RuleError, Rules, compile_phrase, load_rules
from pipeline.tables import TABLES

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "rules/README.md")
RULES = ROOT / "rules"
GOLD = pipeline.SAMPLE.with_name("gold.jsonl")

# What README.md shows of each table: of which paper, which rows of it, and which columns.
ROWS: dict[str, tuple[dict[str, str], str]] = {
    "papers": ({"paper_id": "sample-057"}, "paper_id title code_status"),
    "models": ({"name": "Llama-3-SynE"}, "surface name kind role mentions rule"),
    "sizes": ({"paper_id": "sample-057"}, "surface kind value model rule"),
    "benchmarks": ({"paper_id": "sample-057", "name": "C-Eval"}, "surface name role mentions rule"),
    "gains": (
        {"paper_id": "sample-057", "benchmark": "C-Eval"},
        "surface kind value direction benchmark model baseline rule",
    ),
    "links": ({"paper_id": "sample-057"}, "surface kind host repository rule"),
    "numbers": ({"paper_id": "sample-057", "surface": "8B"}, "surface value use rule"),
    "runs": ({}, "read new changed rejected"),
    "rejects": ({}, "source reason"),
}
SHOWN = "ZipTune lifts LLaMA-2-7B by 3.2% on GSM8K. Code: https://github.com/acme/ziptune"

# By how much a number on a page may be above what is found now, and by how much below it: parts of 1
# in what is scored, of the number itself in counts. Rules change every day, and a page need not
# follow at once, but must not claim much more than there is. All else is as it is.
ABSOLUTE = {"score": (0.03, 0.1)}
RELATIVE = {"run": (0.1, 0.2), "files": (0.05, 0.2)}

SECTION = re.compile(r"<!-- made: (\w+) -->\n(.*?)<!-- end -->", re.DOTALL)
NUMBER = re.compile(r"(?<![\w.-])\d+(?:,\d{3})*(?:\.\d+)?(?![\w-])")


# --- what is made ---


def made(out: Path) -> Iterator[tuple[str, str]]:
    """Each section by its name. `out` is an empty folder for a run of the sample papers."""
    with contextlib.chdir(out):
        said = _told("run", "--out", "outputs")
        _told("run", str(pipeline.SAMPLE), "paper.jsonl", "--out", "tables")
    yield "run", _block("text", said)
    yield "rows", _rows(out / "tables")
    yield "show", _block("text", _told("show", SHOWN))
    yield "score", _scores()
    dictionary = _told("tables", "links").split("\n")[:9]
    yield "tables", _block("markdown", "\n".join([*dictionary, "..."]))
    rules = load_rules()
    yield "files", _files(rules)
    yield "keys", _keys(out)
    yield "slots", _listed(sorted(_slots(rules)))
    yield "symbols", _listed(SYMBOLS)
    yield "checks", catalogue()
    yield "words", _listed(f"{{{name}}}" for name in sorted(rules.words))


def _told(*args: str) -> str:
    result = CliRunner().invoke(app, args, prog_name="paperclaims")
    assert result.exit_code == 0, result.output
    return result.stdout


def _block(language: str, text: str) -> str:
    return f"```{language}\n{text.rstrip()}\n```"


def _rows(out: Path) -> str:
    lines = ["| table | one row per | for example |", "|---|---|---|"]
    for name, (chosen, columns) in ROWS.items():
        row = next(
            row
            for row in pq.read_table(out / name).to_pylist()
            if all(row[column] == value for column, value in chosen.items())
        )
        cells = [f"{column} `{row[column]}`" for column in columns.split()]
        if "start" in row:
            cells[0] += f" at `{row['field']}[{row['start']}:{row['end']}]`"
        said = TABLES[name].metadata[b"description"].decode().removeprefix("One row per ")
        holds = re.split(r"[.:,]", said)[0]
        lines.append(f"| `{name}` | {holds} | {', '.join(cells)} |")
    return "\n".join(lines)


def _scores() -> str:
    report = score.score(pipeline.SAMPLE, GOLD, None, rules_folders=[])
    lines = ["| found | precision | recall | F1 |", "|---|---:|---:|---:|"]
    for name, tally in report.tables.items():
        lines.append(f"| {name} | {tally.precision:.2f} | {tally.recall:.2f} | {tally.f1:.2f} |")
    lines += ["", "| of what was found | accuracy |", "|---|---:|"]
    lines += [f"| {name} | {rate.rate:.2f} |" for name, rate in report.attributes.items()]
    return "\n".join(lines)


def _files(rules: Rules) -> str:
    lines = ["| file | what it holds | entries |", "|---|---|---:|"]
    for path in sorted(RULES.glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        comment = itertools.takewhile(lambda line: line.startswith("#"), text.splitlines())
        holds = re.match(r"[^.:]*", " ".join(line.strip("# ") for line in comment))
        entries = rules.entries.get(path.stem) or yaml.safe_load(text)
        lines.append(
            f"| [{path.name}]({path.name}) | {holds[0] if holds else ''} | {len(entries)} |"
        )
    return "\n".join(lines)


def _keys(out: Path) -> str:
    """The keys of each file, from what is said of one that there is not in any."""
    folder = out / "rules"
    folder.mkdir()
    for path in RULES.glob("*.yaml"):
        (folder / path.name).write_text("An entry:\n  zzzzzz: yes\n", encoding="utf-8")
    with pytest.raises(RuleError) as error:
        load_rules([folder])
    lines = ["| file | keys besides `finds`, `ignores` and `note` |", "|---|---|"]
    for file, known in re.findall(r"(\w+\.yaml), An entry: .* known: (.*)", str(error.value)):
        own = sorted(set(known.split(", ")) - {"finds", "ignores", "note"})
        lines.append(f"| {file} | {', '.join(f'`{key}`' for key in own)} |")
    return "\n".join(lines)


def _slots(rules: Rules) -> set[str]:
    """What may stand in braces and is no list, from what is said of what may not."""
    with pytest.raises(RuleError) as error:
        compile_phrase("{zzzzzz}", rules.words, "here")
    return set(str(error.value).partition("there are ")[2].split(", ")) - set(rules.words)


def _listed(names: object) -> str:
    return ", ".join(f"`{name}`" for name in names)  # type: ignore[attr-defined]


# --- what is compared ---


def sections() -> dict[str, str]:
    pages = [(ROOT / page).read_text(encoding="utf-8") for page in PAGES]
    return {name: text.strip() for page in pages for name, text in SECTION.findall(page)}


def alike(told: str, made: str, name: str) -> bool:
    """Whether two texts are the same but for blanks, seconds, and numbers that differ a little."""
    texts = [re.sub(r"\d+\.\d s \(\d+ per second\)", "", text) for text in (told, made)]
    numbers = [[float(n.replace(",", "")) for n in NUMBER.findall(text)] for text in texts]
    words = [re.sub(r"[\s\u2501\u2500]+", " ", NUMBER.sub("0", text)) for text in texts]
    above, below = ABSOLUTE.get(name, (0.0, 0.0))
    part_above, part_below = RELATIVE.get(name, (0.0, 0.0))
    return words[0] == words[1] and all(
        -below - part_below * now <= round(said - now, 9) <= above + part_above * now
        for said, now in zip(*numbers, strict=True)
    )


@pytest.fixture(scope="module")
def now(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return dict(made(tmp_path_factory.mktemp("made")))


NAMES = "run rows show score tables files keys slots symbols checks words".split()


def test_every_section_that_is_made_stands_on_a_page(now: dict[str, str]) -> None:
    assert list(now) == NAMES
    assert sorted(sections()) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_section_is_what_the_program_gives(now: dict[str, str], name: str) -> None:
    told = sections()[name]
    assert alike(told, now[name], name), (
        f"`python -m tests.test_documents` writes this section anew:\n{now[name]}"
    )


@pytest.mark.parametrize(
    ("name", "told", "made", "same"),
    [
        ("score", "F1 | 0.94 |", "F1 | 0.91 |", True),
        ("score", "F1 | 0.95 |", "F1 | 0.91 |", False),
        ("score", "F1 | 0.81 |", "F1 | 0.91 |", True),
        ("score", "F1 | 0.80 |", "F1 | 0.91 |", False),
        ("score", "F1 | 0.91 |", "recall | 0.91 |", False),
        ("run", "models | 110 |", "models |  100 |", True),
        ("run", "models | 111 |", "models |  100 |", False),
        ("run", "in 4.0 s (21 per second)", "in 9.5 s (9 per second)", True),
        ("rows", "value 8.81", "value 8.82", False),
        ("rows", "LLaMA-2", "LLaMA-3", False),
    ],
)
def test_a_page_may_be_a_little_behind_and_no_more(
    name: str, told: str, made: str, same: bool
) -> None:
    assert alike(told, made, name) is same


# --- what is run ---


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_the_python_of_the_readme_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("papers.jsonl").write_bytes(pipeline.SAMPLE.read_bytes())
    _told("run", "--out", "outputs")
    run = [block for block in blocks("README.md", "python") if "from flows" not in block]
    assert len(run) >= 4
    for block in run:
        exec(compile(block, "README.md", "exec"), {})
        assert capsys.readouterr().out.strip(), f"this prints nothing:\n{block}"


def test_what_the_readme_takes_from_flows_is_there() -> None:
    flows = ast.parse((ROOT / "flows.py").read_text(encoding="utf-8"))
    there = {node.name: node for node in flows.body if isinstance(node, ast.FunctionDef)}
    [block] = [block for block in blocks("README.md", "python") if "from flows" in block]
    [taken] = [node for node in ast.parse(block).body if isinstance(node, ast.ImportFrom)]
    assert {name.name for name in taken.names} <= there.keys()
    parameters = {argument.arg for argument in there["paperclaims"].args.args}
    assert set(re.findall(r"(\w+)=", block)) <= parameters


COMMANDS = [
    shlex.split(line, comments=True)
    for page in PAGES
    for block in blocks(page, "sh")
    for line in re.sub(r"\\\n", "", block).splitlines()
    if line.startswith("paperclaims ")
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_of_the_pages_is_one(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my-rules").mkdir()
    Path("pipeline").symlink_to(ROOT / "pipeline")
    command = typer.main.get_command(app)
    command.commands[words[1]].make_context(words[1], words[2:])  # type: ignore[attr-defined]


def test_the_entries_of_the_pages_do_what_their_examples_say(tmp_path: Path) -> None:
    contents: dict[str, dict[str, object]] = {}
    for page in PAGES:
        for block in blocks(page, "yaml"):
            file = re.match(r"# (?:rules/)?(\w+\.yaml)\n", block)
            assert file, f"{page}: a block of rules begins with the name of its file:\n{block}"
            contents.setdefault(file[1], {}).update(yaml.safe_load(block))
    for name, content in contents.items():
        (tmp_path / name).write_text(yaml.safe_dump(content), encoding="utf-8")
    ours, all_rules = load_rules(), load_rules([tmp_path])
    with_them, without = (
        Extractor(all_rules, only_patterns=True),
        Extractor(ours, only_patterns=True),
    )
    added = [entry for entry in all_rules if entry.key in contents.get(f"{entry.file}.yaml", {})]
    assert len(added) == 6
    for entry in added:
        assert [marked(with_them, entry, one) for one in entry.finds] == list(entry.finds)
        assert all(silent(with_them, entry, one) for one in entry.ignores)
        assert any(marked(without, entry, one) != one for one in entry.finds), entry.path


@pytest.mark.parametrize("page", PAGES)
def test_every_file_a_page_names_is_there(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    names = set(re.findall(r"(?<![\w/.*-])(?:\w+/)*\w+\.(?:py|yaml)\b", text))
    folders = (ROOT, RULES, ROOT / "pipeline", *(ROOT / "pipeline").glob("*/"))
    assert len(names) > 8
    assert [n for n in sorted(names) if not any((folder / n).exists() for folder in folders)] == []


def test_the_links_of_the_page_on_rules_lead_somewhere() -> None:
    linked = re.findall(r"\]\((?!https?:)([^)#]+)\)", (RULES / "README.md").read_text("utf-8"))
    assert linked
    assert [link for link in linked if not (RULES / link).exists()] == []


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        new = dict(made(Path(folder)))
    for page in PAGES:
        path = ROOT / page
        old = path.read_text(encoding="utf-8")
        path.write_text(
            SECTION.sub(lambda m: f"<!-- made: {m[1]} -->\n{new[m[1]]}\n<!-- end -->", old),
            encoding="utf-8",
        )
