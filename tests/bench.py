"""How fast it is: `python tests/bench.py PAPERS` measures four ways to read the same papers.

(a) spaCy's blank English with the sentencizer, one process: the floor everyone in this field pays
(b) spaCy's entity ruler with our names, and quantulum3 for numbers: what an afternoon gives
    (on some papers only; needs `pip install quantulum3`)
(c) `Extractor.extract`, one process
(d) the whole command, from gzip to published Parquet, with as many processes as there are cores

Each way has a process of its own, which measures itself. With `--repeat N` the papers are
taken until there are N, with other ids and texts; `--only c,d` leaves ways out. Then come the time
of a run that adds 100 papers, of one with nothing new, and where the time of (c) goes; with
`--dask`, the flow with one and with two workers.
"""

from __future__ import annotations

import argparse
import cProfile
import gzip
import json
import os
import platform
import pstats
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

# What is slow by a hundred times is measured on fewer papers.
AFTERNOON_PAPERS = 200
ARXIV = 2_800_000
WAYS = {
    "a": "spaCy blank + sentencizer, 1 process",
    "b": "entity ruler + quantulum3, 1 process",
    "c": "extract, 1 process",
    "d": "the whole command, all cores",
}


def records(path: Path) -> Iterator[dict[str, str]]:
    """The papers of a JSON Lines file, packed or not."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        for line in file:
            yield json.loads(line)


def texts(path: Path) -> list[tuple[str, str, str]]:
    """Id, title and abstract of each paper."""
    return [
        (one.get("paper_id") or one["id"], one["title"], one["abstract"]) for one in records(path)
    ]


def floor(path: Path) -> tuple[float, int, int]:
    """(a)."""
    import spacy  # noqa: PLC0415

    given = [f"{title}\n\n{abstract}" for _, title, abstract in texts(path)]
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    began = time.perf_counter()
    sentences = sum(1 for doc in nlp.pipe(given) for _ in doc.sents)
    assert sentences
    return time.perf_counter() - began, len(given), sum(map(len, given))


def afternoon(path: Path) -> tuple[float, int, int]:
    """(b)."""
    import spacy  # noqa: PLC0415
    from quantulum3 import parser  # noqa: PLC0415

    from pipeline.rules import load_rules  # noqa: PLC0415

    given = [f"{title}\n\n{text}" for _, title, text in texts(path)][:AFTERNOON_PAPERS]
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    ruler = nlp.add_pipe("entity_ruler")
    rules = load_rules()
    ruler.add_patterns(  # type: ignore[attr-defined]
        [
            {"label": file, "pattern": name}
            for file in ("models", "benchmarks", "metrics")
            for entry in rules.entries[file]
            for name in entry.values.get("names", [entry.key])
        ]
    )
    parser.parse("warm up with 3 metres")
    began = time.perf_counter()
    for doc in nlp.pipe(given):
        assert doc.ents is not None
        for sentence in doc.sents:
            try:
                parser.parse(sentence.text)
            except Exception:  # it fails on some texts; its time is what is asked here
                continue
    return time.perf_counter() - began, len(given), sum(map(len, given))


def extracted(path: Path) -> tuple[float, int, int]:
    """(c)."""
    from pipeline.extract import extractor_for  # noqa: PLC0415
    from pipeline.records import Paper  # noqa: PLC0415

    given = [Paper(*one) for one in texts(path)]
    extractor = extractor_for(())
    for paper in given[:20]:
        extractor.extract(paper)
    began = time.perf_counter()
    for paper in given:
        extractor.extract(paper)
    seconds = time.perf_counter() - began
    return seconds, len(given), sum(len(one.title) + 2 + len(one.abstract) for one in given)


def measured(way: str, path: Path) -> None:
    """Measure one way in this process and print it as JSON."""
    seconds, papers, characters = {"a": floor, "b": afternoon, "c": extracted}[way](path)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = {"seconds": seconds, "papers": papers, "characters": characters, "peak": peak}
    print(json.dumps(told))


def command(out: Path, *sources: Path) -> dict[str, float]:
    """The time of `paperclaims run` as a user has it, and the peak of its processes together."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "run", *map(str, sources), "--out", str(out)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    peak = largest = 0.0
    while process.poll() is None:
        each = [_memory(pid) for pid in [process.pid, *_children(process.pid)]]
        peak = max(peak, sum(each))
        largest = max(largest, *each)
        time.sleep(0.05)
    assert process.returncode == 0
    return {"seconds": time.perf_counter() - began, "peak": peak, "largest": largest}


def _children(pid: int) -> list[int]:
    """The processes that a process has started, and those that these have."""
    try:
        own = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return own + [below for one in own for below in _children(one)]


def _memory(pid: int) -> float:
    """What a process has in memory; what several share is counted once, a part with each."""
    try:
        status = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("Pss:")]
    return int(found[0]) / 1024 if found else 0.0


def repeated(path: Path, count: int, folder: Path) -> Path:
    """As many papers as asked for, each time round with other ids, titles and words."""
    made = folder / "papers.jsonl.gz"
    given = texts(path)
    with gzip.open(made, "wt", compresslevel=1) as file:
        for number in range(count):
            paper_id, title, abstract = given[number % len(given)]
            if turn := number // len(given):
                paper_id, title = f"again-{turn}:{paper_id}", f"{title} {turn}"
                abstract = f"{abstract} In round {turn}, this is as it was."
            record = {"paper_id": paper_id, "title": title, "abstract": abstract}
            file.write(json.dumps(record) + "\n")
    return made


def machine() -> str:
    """What this was measured on."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].partition(": ")[2] if names else cpu
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} x {cpu}, {gib:.0f} GiB, Python {platform.python_version()}"


def stages(path: Path) -> str:
    """Where the time of (c) goes, by the module that spends it."""
    from pipeline.extract import extractor_for  # noqa: PLC0415
    from pipeline.records import Paper  # noqa: PLC0415

    extractor = extractor_for(())
    given = [Paper(*one) for one in texts(path)[:300]]
    profile = cProfile.Profile()
    profile.enable()
    for paper in given:
        extractor.extract(paper)
    profile.disable()
    own: dict[str, float] = {}
    for (file, _, _), (_, _, seconds, _, _) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        known = "pipeline/" in file
        name = file.partition("pipeline/")[2] if known else "spaCy, regular expressions and Python"
        own[name] = own.get(name, 0.0) + seconds
    whole = sum(own.values())
    lines = ["| module | share of the time |", "|---|---:|"]
    for name, seconds in sorted(own.items(), key=lambda item: -item[1])[:12]:
        lines.append(f"| {name} | {seconds / whole:.0%} |")
    return "\n".join(lines)


def on_dask(path: Path, folder: Path, workers: int) -> float:
    """Papers per second of the flow on a local Dask cluster, once it has started."""
    out = folder / f"dask-{workers}"
    given = ["--out", str(out), "--runner", "dask", "--workers", str(workers)]
    done = subprocess.run(
        [sys.executable, "flows.py", str(path), *given],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"the flow on Dask failed:\n{done.stderr[-2000:]}")
    (seconds,) = re.findall(r"papers in ([\d,.]+) s", done.stdout)
    return sum(1 for _ in records(path)) / float(seconds.replace(",", ""))


def main() -> None:
    """Measure all ways and print a table in Markdown."""
    told = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    told.add_argument("papers", type=Path, help="JSON Lines, packed as .gz or not")
    told.add_argument("--repeat", type=int, help="take the papers until there are so many")
    told.add_argument("--only", default="a,b,c,d", help="ways to measure, as in c,d")
    told.add_argument("--dask", action="store_true", help="measure the flow on Dask as well")
    told.add_argument("--way", choices=list("abc"), help=argparse.SUPPRESS)
    given = told.parse_args()
    if given.way:
        measured(given.way, given.papers)
        return
    with tempfile.TemporaryDirectory(prefix="paperclaims-bench-") as name:
        folder = Path(name)
        path = repeated(given.papers, given.repeat or sum(1 for _ in records(given.papers)), folder)
        found = {}
        for way in given.only.split(","):
            if way in ("d", ""):
                continue
            again = [sys.executable, __file__, str(path), "--way", way]
            done = subprocess.run(again, capture_output=True, text=True, check=False)
            if done.returncode:
                print(f"({way}) could not be measured: {done.stderr.strip().splitlines()[-1]}")
                continue
            found[way] = json.loads(done.stdout)
        size = [len(title) + 2 + len(abstract) for _, title, abstract in texts(path)]
        if "d" in given.only:
            found["d"] = command(folder / "out", path)
            found["d"] |= {"papers": len(size), "characters": sum(size)}
        print(f"{len(size):,} papers of {sum(size) / len(size):,.0f} characters; {machine()}\n")
        print("| | papers/s | characters/s | peak memory | times (a) |")
        print("|---|---:|---:|---:|---:|")
        for way, one in found.items():
            speed = one["papers"] / one["seconds"]
            floor_speed = found["a"]["papers"] / found["a"]["seconds"] if "a" in found else 0.0
            ratio = f"{speed / floor_speed:.2f}" if floor_speed else ""
            letters = one["characters"] / one["seconds"]
            memory = f"{one['peak']:,.0f} MB"
            if "largest" in one:
                memory += f" (largest process {one['largest']:,.0f} MB)"
            print(f"| ({way}) {WAYS[way]} | {speed:,.0f} | {letters:,.0f} | {memory} | {ratio} |")
        if "d" in found:
            speed = found["d"]["papers"] / found["d"]["seconds"]
            print(f"\nAll of arXiv, {ARXIV:,} abstracts: {ARXIV / speed / 3600:.1f} hours at (d)")
            if "b" in found:
                afternoon_speed = found["b"]["papers"] / found["b"]["seconds"]
                print(f"(d) is {speed / afternoon_speed:,.0f} times as fast as (b)")
            increments(folder, path, found["d"]["seconds"])
        if given.dask:
            one, two = (on_dask(path, folder, workers) for workers in (1, 2))
            told_dask = (
                f"{one:,.0f} papers/s with 1 worker, {two:,.0f} with 2: {two / one:.2f} times"
            )
            print(f"\nThe flow on Dask, a local cluster: {told_dask}")
        if "c" in found:
            print(f"\nOf (c), by where it stands:\n\n{stages(path)}")


def increments(folder: Path, path: Path, whole: float) -> None:
    """The time of a run that adds 100 papers, and of one with nothing new."""
    more = folder / "more.jsonl"
    with more.open("w") as file:
        for number, (_, title, abstract) in enumerate(texts(path)[:100]):
            record = {"paper_id": f"more:{number}", "title": f"More: {title}"}
            file.write(json.dumps(record | {"abstract": f"{abstract} And more."}) + "\n")
    parts = folder / "out" / "parts"
    before = set(parts.rglob("*.parquet"))
    size = sum(file.stat().st_size for file in before)
    seconds = command(folder / "out", more)["seconds"]
    wrote = sum(file.stat().st_size for file in parts.rglob("*.parquet") if file not in before)
    told = f"{seconds:.1f} s, {seconds / whole:.1%} of the whole; {wrote / size:.2%} of the bytes"
    print(f"A run that adds 100 papers: {told}")
    seconds = command(folder / "out", path)["seconds"]
    print(f"A run over all papers again, nothing new: {seconds:.1f} s, {seconds / whole:.1%}")


if __name__ == "__main__":
    main()
