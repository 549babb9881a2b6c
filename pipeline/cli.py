"""The command `paperclaims`."""

from __future__ import annotations

import contextlib
import io
import shlex
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import pipeline
from pipeline.records import Paper, PipelineError
from pipeline.startup import start_quickly

if TYPE_CHECKING:
    from pipeline.audit import Declared

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

app = typer.Typer(
    name="paperclaims",
    help=(
        "Find the models, sizes, benchmarks, reported gains and links in titles and abstracts of "
        "machine-learning papers, and publish them as Parquet tables that say, for every row, "
        "where it was read and which rule made it."
    ),
    epilog="paperclaims COMMAND --help tells more of a command.",
    no_args_is_help=True,
    add_completion=False,
    # Plain help reads the same on every terminal and in a pipe.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=_SETTINGS,
)
snapshots = typer.Typer(
    name="snapshots",
    help="List, compare, restore, prune and compact what was published.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings=_SETTINGS,
)
app.add_typer(snapshots)

Out = Annotated[
    str,
    typer.Option(
        metavar="DIR", help="The folder of the tables, or an address such as s3://bucket/tables."
    ),
]

RulesFolders = Annotated[
    list[Path] | None,
    typer.Option(
        "--rules",
        metavar="DIR",
        exists=True,
        file_okay=False,
        help="A folder of your own rules, added to ours. May be given more than once.",
    ),
]


def main() -> None:
    """Run the command; whatever a text holds, its letters can be printed."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    start_quickly()
    app(prog_name="paperclaims")


@app.callback(invoke_without_command=True)
def _paperclaims(
    version: Annotated[bool, typer.Option("--version", help="Tell the version.")] = False,
) -> None:
    if version:
        typer.echo(f"paperclaims {pipeline.__version__}")
        raise typer.Exit


@app.command()
def run(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE",
            show_default=False,
            help="Files, folders, globs, or - for standard input. Without any, the sample papers "
            "that come with the package.",
        ),
    ] = None,
    out: Out = "outputs",
    replace: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SOURCE",
            help="Read this source, too, and take away papers of it that it does not hold any "
            "more; otherwise papers stay. May be given more than once.",
        ),
    ] = None,
    keep: Annotated[
        int, typer.Option(min=1, help="How many snapshots to leave, the new one among them.")
    ] = 10,
    format: Annotated[
        str | None,
        typer.Option(
            metavar="FORMAT",
            help="Read every source as this format, which is otherwise recognised. A wrong one "
            "tells which there are.",
        ),
    ] = None,
    year: Annotated[
        int | None,
        typer.Option(
            min=1900, max=2100, help="The year of pages that give only the day and the month."
        ),
    ] = None,
    rules: RulesFolders = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="How many processes extract; by default one for each processor."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="End with 1 if any record was rejected.")
    ] = False,
) -> None:
    """Read papers and publish the tables of what they claim.

    Only what is new or changed since the last run is extracted, or everything after a change of the
    rules; papers published before stay. Tables are replaced as a whole, or left alone where nothing
    is new. What cannot be read is told, and has a row in the table `rejects`.

    Ends with 0 when papers were read, 1 when none could be, 2 for wrong usage.
    """
    with _told_plainly():
        from pipeline import store, terminal
        from pipeline.sources import FORMATS

        if format is not None and format not in FORMATS:
            raise typer.BadParameter(
                f"'{format}' is not one of {', '.join(FORMATS)}.", param_hint="'--format'"
            )
        with terminal.progress() as progress:
            summary = store.run(
                sources or ([] if replace else [str(pipeline.SAMPLE)]),
                out,
                rules_folders=rules or [],
                format=format,
                year=year,
                workers=workers,
                replaced=replace or [],
                keep=keep,
                progress=progress,
            )
        terminal.print_rejects(summary)
        if not (summary.read and summary.papers) and not summary.removed:
            raise PipelineError(
                "no paper could be read, nothing was published; `paperclaims run --help` tells "
                "what can be read"
            )
        terminal.print_summary(summary)
    if strict and summary.rejected:
        raise typer.Exit(1)


@app.command()
def fetch(
    service: Annotated[
        str,
        typer.Argument(
            metavar="SERVICE",
            help="daily-papers, arxiv, arxiv-oai, openreview or semantic-scholar.",
        ),
    ],
    day: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="The day, of UTC.")
    ],
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="Fetch all days up to this one."),
    ] = None,
    landing: Annotated[
        Path, typer.Option(metavar="DIR", help="The folder for what was fetched, as it came.")
    ] = Path("landing"),
    settings: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The file of settings; by default paperclaims.toml or pyproject.toml here.",
        ),
    ] = None,
) -> None:
    """Fetch what a service published on a day, page by page as it comes.

    A day that was fetched whole is not fetched again; one that was cut short goes on after its last
    whole page. Prints the command that reads what was fetched.
    """
    with _told_plainly():
        from pipeline import fetch as fetching
        from pipeline.settings import Settings

        if service not in fetching.SERVICES:
            raise typer.BadParameter(
                f"'{service}' is not one of {', '.join(fetching.SERVICES)}.", param_hint="'SERVICE'"
            )
        if until is not None and until < day:
            raise typer.BadParameter("it is before --day.", param_hint="'--until'")
        asked = Settings.read(settings)
        folders = []
        for number in range(((until or day) - day).days + 1):
            one = (day + timedelta(days=number)).date()
            found = fetching.fetch(service, one, landing=landing, settings=asked)
            counts = {"page": len(found.paths), "paper": found.papers, "request": found.requests}
            told = ", ".join(
                f"{count:,} {what}{'' if count == 1 else 's'}"
                for what, count in counts.items()
                if count is not None
            )
            typer.echo(f"{service} {one}: {told}")
            folders += [str(found.paths[0].parent)] if found.paths else []
        if folders:
            typer.echo(f"paperclaims run {shlex.join(folders)}")


@app.command()
def verify(
    out: Out = "outputs",
    every: Annotated[
        bool, typer.Option("--all", help="Check all snapshots, not only the published one.")
    ] = False,
) -> None:
    """Check that what is published is what was written.

    Every file is read: its digest, its rows and its columns, and that the snapshot is whole. Ends
    with 1 if anything is wrong.
    """
    with _told_plainly():
        from pipeline import terminal
        from pipeline.store import snapshots as store

        if faults := store.verify(out, every=every):
            for fault in faults:
                terminal.print_error(fault)
            raise typer.Exit(1)
        typer.echo(f"{out}: all is as it was written")


@app.command()
def status(
    out: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="The tables, instead of those that the settings name."),
    ] = None,
    settings: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="The settings; otherwise paperclaims.toml, or [tool.paperclaims] of "
            "pyproject.toml, of this folder.",
        ),
    ] = None,
) -> None:
    """Tell the last runs, which days of each source are published, and what it all takes.

    Ends with 1 if a source that is fetched is older than the settings allow.
    """
    with _told_plainly():
        import datetime

        from pipeline import terminal
        from pipeline.settings import Settings
        from pipeline.status import status as measured

        known = Settings.read(settings)
        if out is not None:
            known = known.model_copy(update={"runs": known.runs.model_copy(update={"out": out})})
        found = measured(known, datetime.datetime.now(datetime.UTC))
        terminal.print_status(found)
    if any(one.stale for one in found.sources):
        raise typer.Exit(1)


@snapshots.command("list")
def list_snapshots(out: Out = "outputs") -> None:
    """Tell which snapshots there are, the oldest first."""
    with _told_plainly():
        from pipeline import terminal
        from pipeline.store import snapshots as store

        terminal.print_snapshots(store.snapshots(out))


Chosen = Annotated[
    str,
    typer.Argument(
        help="A snapshot's id or its beginning; `current` and `previous` are ids as well."
    ),
]


@snapshots.command("diff")
def diff_snapshots(
    old: Chosen = "previous",
    new: Chosen = "current",
    out: Out = "outputs",
    table: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this table.")
    ] = None,
) -> None:
    """Tell the rows added, removed and changed between two snapshots, with their sentences."""
    with _told_plainly():
        from pipeline import terminal
        from pipeline.store import snapshots as store
        from pipeline.tables import EXTRACTED

        if unknown := set(table or ()) - set(EXTRACTED):
            raise typer.BadParameter(f"'{min(unknown)}' is not one of {', '.join(EXTRACTED)}.")
        terminal.print_differences(store.diff(out, old, new, table or EXTRACTED))


app.command("diff")(diff_snapshots)


@snapshots.command("restore")
def restore_snapshot(snapshot: Chosen, out: Out = "outputs") -> None:
    """Publish an earlier snapshot again; the others stay."""
    with _told_plainly():
        from pipeline.store import snapshots as store

        typer.echo(f"{store.restore(out, snapshot)} is published in {out}")


@snapshots.command("prune")
def prune_snapshots(
    keep: Annotated[int, typer.Option(min=1, help="How many snapshots to leave.")] = 1,
    out: Out = "outputs",
) -> None:
    """Take away old snapshots, and the files that no other has."""
    with _told_plainly():
        from pipeline.store import snapshots as store

        taken = store.prune_snapshots(out, keep)
        typer.echo("\n".join(taken) if taken else "nothing to take away")


@snapshots.command("compact")
def compact_snapshot(out: Out = "outputs") -> None:
    """Publish the same rows in as few files as one run over all papers would write."""
    with _told_plainly():
        from pipeline.store import snapshots as store

        made = store.compact(out)
        typer.echo(f"{made} is published in {out}" if made else "nothing to do")


@app.command()
def show(
    text: Annotated[
        str,
        typer.Argument(metavar="TEXT", help="An abstract, or - to read it from standard input."),
    ],
    title: Annotated[
        str, typer.Option(metavar="TEXT", help="A title, which is read as well.")
    ] = "",
    rules: RulesFolders = None,
) -> None:
    """Mark up a text with all that is found in it.

    Lists every record with what was read and the rule that read it, and every other number of the
    text with its use, or why it has none.
    """
    with _told_plainly():
        from pipeline import terminal
        from pipeline.extract import extractor_for

        if text == "-":
            text = sys.stdin.buffer.read().decode(errors="replace").removesuffix("\n")
        extractor = extractor_for(tuple(str(folder) for folder in rules or []))
        terminal.print_extraction(extractor.extract(Paper("shown", title, text)))


@app.command()
def score(
    docs: Annotated[
        Path,
        typer.Argument(metavar="DOCS", exists=True, dir_okay=False, help="Papers, as JSON Lines."),
    ],
    gold: Annotated[
        Path,
        typer.Argument(
            metavar="GOLD", exists=True, dir_okay=False, help="What is right, in the gold format."
        ),
    ],
    predicted: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT",
            exists=True,
            help="Measure these published tables, or this file in the gold format, instead of "
            "what is extracted now.",
        ),
    ] = None,
    rules: RulesFolders = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="List all that was missed or is wrong.")
    ] = False,
) -> None:
    """Measure precision, recall and F1 against papers annotated by hand."""
    with _told_plainly():
        from pipeline import terminal
        from pipeline.score import score as measure

        report = measure(docs, gold, predicted, rules_folders=rules or [])
        terminal.print_report(report, verbose=verbose)


@app.command()
def tables(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Only this table.", show_default=False)
    ] = None,
) -> None:
    """Tell what every table and column holds.

    This is the data dictionary, in Markdown.
    """
    with _told_plainly():
        from pipeline import terminal
        from pipeline.tables import TABLES, data_dictionary

        page = data_dictionary()
        if name is not None:
            if name not in TABLES:
                raise typer.BadParameter(f"'{name}' is not one of {', '.join(TABLES)}.")
            page = f"## {name}\n" + page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        terminal.print_page(page)


Published = Annotated[
    Path,
    typer.Argument(metavar="OUT", help="The folder that `paperclaims run` published in."),
]


Since = Annotated[
    str | None,
    typer.Option(
        metavar="SNAPSHOT",
        help="Queue what has changed since this snapshot: its id or the beginning of it, "
        "`previous`, or a folder of tables.",
    ),
]


@app.command()
def audit(
    out: Published = Path("outputs"),
    off: Annotated[
        list[str] | None,
        typer.Option("--off", metavar="CHECK", help="Leave a check out. May be given repeatedly."),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the review page as one file that opens offline."),
    ] = None,
    since: Since = None,
    format: Annotated[
        str | None,
        typer.Option(
            metavar="FORMAT",
            help="OUT is the extraction of another program: langextract, brat, spacy, plain, or "
            "auto to recognise it.",
        ),
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the findings for a spreadsheet.")
    ] = None,
    rules: RulesFolders = None,
    notes: Annotated[bool, typer.Option("--notes", help="Print notes as well.")] = False,
    checks: Annotated[
        bool, typer.Option("--checks", help="Tell what every check asks, and do nothing else.")
    ] = False,
) -> None:
    """Check published tables against the texts they were read from.

    Reads every row's place, numbers and names anew, recomputes changes from their ends, and writes
    what does not hold to the tables `audit`, `audit_basis` and `audit_papers` beside the others.

    Ends with 1 where there are errors, with 2 for wrong usage.
    """
    with _told_plainly():
        from pipeline import audit as auditing
        from pipeline import terminal
        from pipeline.audit import foreign, written
        from pipeline.review import claims, page
        from pipeline.review.verdicts import Verdicts

        if checks:
            terminal.print_page(auditing.catalogue() + "\n")
            return
        if unknown := sorted(set(off or ()) - set(auditing.CHECKS)):
            raise typer.BadParameter(
                f"'{unknown[0]}' is not one of {', '.join(auditing.CHECKS)}.", param_hint="'--off'"
            )
        if format not in (None, "auto", *foreign.FORMATS):
            raise typer.BadParameter(
                f"'{format}' is not one of auto, {', '.join(foreign.FORMATS)}.",
                param_hint="'--format'",
            )
        if not out.exists():
            raise PipelineError(
                f"{out}: no such file or folder; `paperclaims run` publishes tables"
            )
        if format is not None or not (out.is_dir() and auditing.published(out)):
            if html is not None:
                raise PipelineError(f"{out}: a page is made of tables that `run` published only")
            known = None if format in (None, "auto") else format
            documents, spans, findings = foreign.audit_foreign(out, known, off=off or ())
            terminal.print_findings(findings, str(csv or "what --csv FILE writes"), notes=notes)
            typer.echo(f"{spans:,} spans of {documents:,} texts audited")
        else:
            declared = _declared(rules)
            audited = auditing.audit(out, off=off or (), declared=declared)
            findings = audited.findings
            written.write(out, audited)
            terminal.print_findings(findings, str(out / "audit"), notes=notes)
            typer.echo(f"{audited.claims:,} rows of {audited.papers:,} papers audited")
            if html is not None:
                made = claims.cards(out, findings, since=since)
                verdicts = Verdicts(out / "verdicts.jsonl").latest().values()
                page.write_offline(html, made, verdicts, declared=declared)
                typer.echo(f"{html}: open it in a browser")
        if csv is not None:
            written.write_csv(csv, findings)
    if any(one.severity == "error" for one in findings):
        raise typer.Exit(1)


@app.command()
def review(
    out: Published = Path("outputs"),
    who: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who reviews; by default your login.")
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port; 0 takes any that is free.")
    ] = 0,
    since: Since = None,
    rules: RulesFolders = None,
) -> None:
    """Judge claims one by one on a page in the browser, with the keyboard.

    Prints an address that only this computer can open. Every verdict is on the disk, in
    OUT/verdicts.jsonl, before the next claim is shown. Ends with Ctrl-C.
    """
    with _told_plainly():
        from pipeline.review import server

        server.serve(
            out, who=who, port=port, since=since, declared=_declared(rules), told=typer.echo
        )


@app.command()
def precision(
    out: Published = Path("outputs"),
    apply: Annotated[
        Path | None,
        typer.Option(
            "--apply", metavar="DIR", help="Publish the tables as the reviews leave them in DIR."
        ),
    ] = None,
    gold: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Write papers judged in full as docs.jsonl and gold.jsonl into DIR."
        ),
    ] = None,
    readme: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the figures into this README.")
    ] = None,
    rules: RulesFolders = None,
) -> None:
    """Tell how many rows are right, by what reviewers said of them."""
    with _told_plainly():
        from pipeline import terminal
        from pipeline.review import applied, claims
        from pipeline.review import precision as measuring
        from pipeline.review.verdicts import Verdicts, agreements

        verdicts = Verdicts(out / "verdicts.jsonl")
        if not len(verdicts):
            raise PipelineError(f"{out}: nothing was reviewed yet; `paperclaims review {out}`")
        cards = claims.cards(out, ())
        found = measuring.precision(cards.claims, verdicts, cards.hashes, cards.rules)
        terminal.print_reviewed(found, agreements(verdicts))
        if readme is not None:
            measuring.write_page(readme, found)
        if gold is not None:
            typer.echo(f"{applied.gold(out, verdicts, gold):,} papers judged in full, in {gold}")
        if apply is not None:
            done = applied.apply(out, verdicts, apply, declared=_declared(rules))
            told = ", ".join(
                f"{done[word]:,} {name}"
                for word, name in (
                    ("accept", "accepted"), ("edit", "corrected"), ("reject", "gone"),
                    ("missed", "added"),
                )
            )  # fmt: skip
            typer.echo(f"{apply}: {told}")


def _declared(folders: list[Path] | None) -> Declared:
    """What the rules declare, with these folders added; faults in these are told at once."""
    from pipeline.audit import OURS, Declared
    from pipeline.rules import load_rules

    if not folders:
        return OURS
    found = load_rules(folders)
    return Declared(lambda: found)


@contextlib.contextmanager
def _told_plainly() -> Iterator[None]:
    """What went wrong for the user is one red line and exit code 1, without a traceback."""
    try:
        yield
    except PipelineError as error:
        from pipeline import terminal

        terminal.print_error(str(error))
        raise typer.Exit(1) from None
