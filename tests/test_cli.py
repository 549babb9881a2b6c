from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

import pipeline
from pipeline import tables, terminal
from pipeline.cli import app
from pipeline.records import Gain, Paper, Reject, Span
from pipeline.store import RunSummary

GOLD = pipeline.SAMPLE.with_name("gold.jsonl")
COMMANDS = ("run", "show", "score", "tables", "audit", "review", "precision")

# Those of published tables stand beside `run`, and a group of commands at the end.
COMMANDS = ("run", "fetch", "verify", "status", "diff", *COMMANDS[1:], "snapshots")

# SIGINT is ignored in what a shell starts in the background; a terminal's Ctrl-C is what we mean.
STARTED_IN_FRONT = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
    "from pipeline.cli import main; main()"
)


def paperclaims(*args: str | Path, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(app, [str(arg) for arg in args], input=stdin, prog_name="paperclaims")


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", text)


def papers_file(folder: Path, *papers: object) -> Path:
    path = folder / "papers.jsonl"
    path.write_text("".join(f"{json.dumps(paper)}\n" for paper in papers))
    return path


def paper(number: int) -> dict[str, str]:
    abstract = f"We report {number} runs. Code is at https://github.com/ours/code{number}."
    return {"id": f"ours:{number}", "title": f"Study {number}", "abstract": abstract}


def rows_of(out: Path, table: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = pq.read_table(out / table).to_pylist()
    return rows


# Help


@pytest.mark.parametrize("command", [(), *((command,) for command in COMMANDS)])
def test_help_fits_a_narrow_terminal_and_explains_every_option(command: Sequence[str]) -> None:
    result = paperclaims(*command, "--help")
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith(f"Usage: {' '.join(['paperclaims', *command])} ")
    unexplained = [
        line for line in lines if re.fullmatch(r"  (-\w, )?--[\w-]+( <.*>| [A-Z]+)?", line)
    ]
    assert unexplained == []


def test_help_lists_every_command() -> None:
    assert re.findall(r"^  (\w+)  +\w", paperclaims("--help").output, re.MULTILINE) == list(
        COMMANDS
    )


def test_help_needs_no_library_that_takes_long_to_import() -> None:
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, atexit; import pipeline.cli;"
            "atexit.register(lambda: print(*sys.modules, file=sys.stderr));"
            "sys.argv = ['paperclaims', '--help']; pipeline.cli.main()",
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    assert told.stdout.startswith("Usage:")
    slow = {"spacy", "pyarrow", "pandas", "prefect", "yaml", "numpy", "rich.markdown"}
    assert slow.isdisjoint(told.stderr.split())


def test_version_is_that_of_the_installed_package() -> None:
    version = importlib.metadata.version("paperclaims")
    assert paperclaims("--version").output == f"paperclaims {version}\n"


def test_python_m_pipeline_is_the_same_command() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "pipeline", "--version"], capture_output=True, text=True, check=True
    )
    assert told.stdout == paperclaims("--version").output


# Run


def test_a_run_without_a_source_publishes_the_sample_papers(tmp_path: Path) -> None:
    result = paperclaims("run", "--out", tmp_path, "--workers", "1")
    assert (result.exit_code, result.stderr) == (0, "")
    ids = [json.loads(line)["paper_id"] for line in pipeline.SAMPLE.read_text().splitlines()]
    assert sorted(row["paper_id"] for row in rows_of(tmp_path, "papers")) == sorted(ids)
    for table in tables.TABLES:
        told = rf"│ {table} +│ +{len(rows_of(tmp_path, table)):,} │"
        assert re.search(told, result.stdout), f"{told} is not in:\n{result.stdout}"
    assert re.match(rf"{len(ids)} papers in \d+\.\d s \([\d,]+ per second\), ", result.stdout)


def test_a_run_leaves_the_data_dictionary_beside_its_tables_alone(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    source = papers_file(tmp_path, paper(1))
    for _ in range(2):
        assert paperclaims("run", source, "--out", tmp_path).exit_code == 0
    assert (tmp_path / "README.md").read_text() == "mine"


def test_a_second_run_tells_what_changed(tmp_path: Path) -> None:
    paperclaims("run", papers_file(tmp_path, paper(1), paper(2)), "--out", tmp_path / "out")
    changed = paper(2) | {"abstract": "Something else, at some length, is reported here."}
    source = papers_file(tmp_path, changed, paper(3), paper(4))
    result = paperclaims("run", source, "--out", tmp_path / "out")
    assert (
        "Since the last run: 2 new, 1 changed, 0 unchanged, 0 removed; 3 extracted\n"
        in result.stdout
    )
    again = paperclaims("run", source, "--out", tmp_path / "out")
    assert f"nothing new, {tmp_path / 'out'} stays as it is\n" in again.stdout
    whole = paperclaims("run", "--replace", source, "--out", tmp_path / "out")
    assert "Since the last run: 0 new, 0 changed, 3 unchanged, 1 removed; 0 ext" in whole.stdout


def test_what_cannot_be_read_is_told_with_its_file_and_line(tmp_path: Path) -> None:
    source = papers_file(tmp_path, paper(1))
    source.write_text(source.read_text() + "{broken\n")
    result = paperclaims("run", source, "--out", tmp_path / "out")
    assert result.exit_code == 0
    assert result.stderr.startswith(f"{source}, line 2: ")
    assert len(result.stderr.splitlines()) == 1
    assert "rejected because" in result.stdout


def test_strict_turns_a_reject_into_a_failure_after_publishing(tmp_path: Path) -> None:
    source = papers_file(tmp_path, paper(1))
    assert paperclaims("run", source, "--out", tmp_path / "out", "--strict").exit_code == 0
    source.write_text(source.read_text() + "{broken\n")
    assert paperclaims("run", source, "--out", tmp_path / "out", "--strict").exit_code == 1
    assert len(rows_of(tmp_path / "out", "rejects")) == 1


def test_a_run_that_reads_no_paper_fails_and_publishes_nothing(tmp_path: Path) -> None:
    result = paperclaims("run", tmp_path / "missing.jsonl", "--out", tmp_path / "out")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "missing.jsonl" in result.stderr.splitlines()[0]
    assert result.stderr.splitlines()[-1].startswith("Error: no paper could be read")
    assert not (tmp_path / "out" / "current").exists()


def test_standard_input_is_a_source(tmp_path: Path) -> None:
    source = papers_file(tmp_path, paper(1), paper(2))
    told = subprocess.run(
        [sys.executable, "-m", "pipeline", "run", "-", "--out", tmp_path / "out"],
        input=source.read_bytes(),
        capture_output=True,
        check=True,
    )
    assert told.stderr == b""
    assert len(rows_of(tmp_path / "out", "papers")) == 2


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["run", "--format", "docx"], "'docx' is not one of "),
        (["run", "--workers", "0"], "'--workers'"),
        (["run", "--year", "24"], "'--year'"),
        (["run", "--rules", "no-such-folder"], "'no-such-folder' does not exist"),
        (["run", "--no-such-option"], "No such option"),
        (["score", "no-such-file", str(GOLD)], "'no-such-file' does not exist"),
        (["tables", "no-such-table"], "'no-such-table' is not one of papers, "),
        (["show"], "Missing argument"),
        (["no-such-command"], "No such command"),
    ],
)
def test_wrong_usage_is_explained_and_ends_with_2(args: list[str], told: str) -> None:
    result = paperclaims(*args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr


def test_a_faulty_rule_is_one_message_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "benchmarks.yaml").write_text("Ours:\n  name: [Ours]\n")
    result = paperclaims("show", "Any text.", "--rules", tmp_path)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: ")
    assert str(tmp_path / "benchmarks.yaml") in result.stderr
    assert "Traceback" not in result.stderr


def test_progress_is_shown_on_a_terminal_only(tmp_path: Path) -> None:
    source = papers_file(tmp_path, *map(paper, range(20)))
    command = [sys.executable, "-m", "pipeline", "run", source, "--out", tmp_path / "out"]
    screen, terminal_end = pty.openpty()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=terminal_end) as process:
        os.close(terminal_end)
        shown = b""
        while piece := _read(screen):
            shown += piece
        assert process.stdout is not None
        assert process.stdout.read().startswith(b"20 papers in ")
    assert process.returncode == 0
    assert "20/20" in plain(shown.decode())
    assert "papers/s" in plain(shown.decode())
    told = subprocess.run(command, capture_output=True, check=True)
    assert told.stderr == b""


def _read(screen: int) -> bytes:
    try:
        return os.read(screen, 65536)
    except OSError:  # how Linux tells that the other end is closed
        return b""


def test_ctrl_c_ends_a_run_without_a_word(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTED_IN_FRONT, "run", "-", "--out", tmp_path / "out"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        # The lock is taken when all is imported and the run waits for its input.
        while not (tmp_path / "out" / ".lock").exists() and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert (process.returncode, out, err) == (130, "", "")
    assert [path.name for path in (tmp_path / "out").iterdir()] in ([], [".lock"])


def test_many_rejects_are_counted_and_the_first_ones_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = tuple(Reject("file", f"line {number}", "why", "") for number in range(3))
    summary = RunSummary(
        out=Path("out"),
        run_id=None,
        papers=0,
        rejects={"why": 1003},
        first_rejects=told,
        rows={},
        seconds=1,
    )
    terminal.print_rejects(summary)
    assert capsys.readouterr().err.splitlines() == [
        "file, line 0: why",
        "file, line 1: why",
        "file, line 2: why",
        "... and 1,000 more",
    ]


# Show


def test_show_marks_a_text_and_lists_its_numbers_with_their_use() -> None:
    text = "In 2024 we ran 12 trials; see https://github.com/ours/code for more."
    result = paperclaims("show", text, "--title", "A Study of 3 Things")
    assert result.exit_code == 0
    title, _, abstract = result.stdout.splitlines()[:3]
    assert re.sub(r"\[\[(.*?)(\|.*?)?\]\]", r"\1", title) == "A Study of 3 Things"
    assert re.sub(r"\[\[(.*?)(\|.*?)?\]\]", r"\1", abstract) == text
    assert "[[https://github.com/ours/code|links code https://github.com/ours/code]]" in abstract
    for number in ("2024", "12", "3"):
        assert re.search(rf"│ {number} +│ numbers +│ \w+ +│ \w+/[\w-]+ +│", result.stdout), number
    assert result.stdout.endswith("code: released\n")


def test_show_reads_standard_input() -> None:
    text = "Code is at https://github.com/ours/code."
    assert paperclaims("show", "-", stdin=f"{text}\n").stdout == paperclaims("show", text).stdout


def test_show_prints_a_text_as_it_is_and_makes_its_control_characters_visible() -> None:
    result = paperclaims("show", "[bold]Tame[/bold] \x1b[J :smile: \u202egnp.exe \ud800 a\u00a0b")
    assert result.exit_code == 0
    expected = "[bold]Tame[/bold] <U+001B>[J :smile: <U+202E>gnp.exe <U+D800> a\u00a0b"
    assert result.stdout.splitlines()[0] == expected


def test_show_survives_bytes_that_are_no_text() -> None:
    result = paperclaims("show", "-", stdin=b"caf\xe9 \xff")
    assert result.exit_code == 0
    assert result.stdout.startswith("caf\ufffd \ufffd\n")


def test_show_can_print_any_letter_in_any_encoding() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "pipeline", "show", "Größe ≥ 3 \U0001f600"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stderr == ""
    assert told.stdout.startswith(r"Gr\xf6\xdfe \u2265 ")


def found(text: str, surface: str, table: str, value: str) -> terminal.Found:
    start = text.index(surface)
    span = Span.of(Paper("p", "", text), "abstract", start, start + len(surface))
    return terminal.Found(span, table, value, f"{table}/rule")


def test_marks_do_not_nest_and_numbers_come_last() -> None:
    text = "We tune LLaMA-7B by 3.2% on 4 sets."
    marked = terminal.marked_text(
        text,
        [
            found(text, "7", "numbers", "name"),
            found(text, "7B", "sizes", "7,000,000,000 parameters"),
            found(text, "LLaMA-7B", "models", "LLaMA-7B"),
            found(text, "3.2%", "gains", "delta up: 3.2 percent"),
            found(text, "3.2", "numbers", "gain"),
            found(text, "4", "numbers", "count"),
        ],
    )
    expected = (
        "We tune [[LLaMA-7B]] by [[3.2%|gains delta up: 3.2 percent]] on [[4|numbers count]] sets."
    )
    assert marked.plain == expected
    coloured = {marked.plain[span.start : span.end]: span.style for span in marked.spans}
    assert coloured["LLaMA-7B"] == "bold cyan"
    assert coloured["3.2%"] == "bold magenta"


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        (
            {"kind": "delta", "value": 3.2, "unit": "percent", "direction": "up"},
            "delta up: 3.2 percent",
        ),
        (
            {"kind": "from_to", "value_from": 36.2, "value_to": 40.7, "metric": "accuracy"},
            "from_to: from 36.2 to 40.7 in accuracy",
        ),
        (
            {"kind": "score", "value_low": 66.0, "value_high": 77.0, "benchmarks": ("A", "B")},
            "score: 66 to 77 on A, B",
        ),
        (
            {
                "kind": "factor",
                "value": 2.0,
                "unit": "x",
                "qualifiers": ("up_to",),
                "baseline": "it",
            },
            "factor: up to 2 x over it",
        ),
        ({"kind": "sota", "model": "Ours"}, "sota by Ours"),
    ],
)
def test_a_gain_is_told_in_words(parts: dict[str, object], told: str) -> None:
    span = Span("abstract", 0, 1, "x")
    fields = [field.name for field in dataclasses.fields(Gain)]
    given = {**dict.fromkeys(fields), "qualifiers": (), "benchmarks": (), **parts}
    given |= {"span": span, "sentence": span}
    assert terminal.gain_value(Gain(**given)) == told  # type: ignore[arg-type]


# Score


def test_score_prints_every_measure_of_the_sample() -> None:
    result = paperclaims("score", pipeline.SAMPLE, GOLD)
    assert (result.exit_code, result.stderr) == (0, "")
    rows = re.findall(r"^│ ([^│]+?) +│ +([01]\.\d{3}) ", result.stdout, re.MULTILINE)
    assert {"models", "gains: full", "gains: sota", "links", "code status"} <= dict(rows).keys()


def test_gold_scored_against_itself_is_without_a_fault() -> None:
    result = paperclaims("score", pipeline.SAMPLE, GOLD, "--predicted", GOLD, "--verbose")
    papers = len(GOLD.read_text().splitlines())
    assert f"{papers} papers, {papers} of them without a fault\n" in result.stdout
    assert set(re.findall(r"│ +([01]\.\d{3}) ", result.stdout)) == {"1.000"}


def test_verbose_lists_what_was_missed(tmp_path: Path) -> None:
    nothing = {"models": [], "sizes": [], "benchmarks": [], "gains": [], "links": []}
    records = [json.loads(line) for line in GOLD.read_text().splitlines()]
    predicted = tmp_path / "predicted.jsonl"
    predicted.write_text("".join(f"{json.dumps(record | nothing)}\n" for record in records[:-1]))
    arguments = ("score", pipeline.SAMPLE, GOLD, "--predicted", predicted)
    surface = records[0]["models"][0]["surface"]
    listed = rf"│ {re.escape(records[0]['paper_id'])} +│ models +│ missed │ .*{re.escape(surface)}"
    assert re.search(listed, paperclaims(*arguments, "--verbose").stdout)
    result = paperclaims(*arguments)
    assert not re.search(listed, result.stdout)
    assert f"Not extracted at all: {records[-1]['paper_id']}\n" in result.stdout


def test_gold_of_other_papers_is_refused_in_one_line(tmp_path: Path) -> None:
    result = paperclaims("score", papers_file(tmp_path, paper(1)), GOLD)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: ")


# Tables


def test_tables_prints_the_data_dictionary() -> None:
    assert paperclaims("tables").stdout == tables.data_dictionary()


@pytest.mark.parametrize("name", list(tables.TABLES))
def test_one_table_is_its_section_of_the_data_dictionary(name: str) -> None:
    section = paperclaims("tables", name).stdout
    assert section in tables.data_dictionary()
    assert re.findall(r"^## (.*)", section, re.MULTILINE) == [name]
    assert re.findall(r"^\| `(\w+)`", section, re.MULTILINE) == tables.TABLES[name].names


def test_on_a_terminal_the_dictionary_is_set_for_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    shown = plain(paperclaims("tables", "links").stdout)
    assert "| `url` |" not in shown
    assert re.search(r"^ +url +string ", shown, re.MULTILINE)


def test_a_run_imports_neither_pandas_nor_what_only_other_commands_need(tmp_path: Path) -> None:
    code = (
        "import atexit, sys; from pipeline.cli import main;"
        "atexit.register(lambda: print('imported', *sys.modules, file=sys.stderr));"
        f"sys.argv = ['paperclaims', 'run', '--out', {str(tmp_path / 'out')!r}]; main()"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stderr.split()
    assert {"imported", "spacy", "pyarrow"} <= set(told)
    others = {"pandas", "fsspec", "prefect", "http.server", "pipeline.review", "pipeline.score"}
    assert others.isdisjoint(told)


def test_one_shard_is_extracted_without_another_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(*_: object, **__: object) -> None:
        raise AssertionError("a process for some papers")

    monkeypatch.setattr("pipeline.store.ProcessPoolExecutor", start)
    papers = papers_file(tmp_path, *map(paper, range(100)))
    result = paperclaims("run", papers, "--out", tmp_path / "out", "--workers", "2")
    assert (result.exit_code, result.stderr) == (0, "")
