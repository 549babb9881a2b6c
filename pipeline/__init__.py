"""Machine-learning abstracts in; tables of models, sizes, benchmarks and reported gains out.

`run` does the whole job; `load_rules`, `Extractor` and `read` are its parts:

    import pipeline

    extractor = pipeline.Extractor(pipeline.load_rules())
    for paper in pipeline.read(["papers.jsonl"]):
        if isinstance(paper, pipeline.Paper):
            print(extractor.extract(paper).gains)
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.extract import Extractor
    from pipeline.records import Extraction, Paper, PipelineError, Reject, Span
    from pipeline.rules import Rules, load_rules
    from pipeline.sources import read
    from pipeline.store import RunSummary, run
    from pipeline.tables import TABLES, read_table

__version__ = "0.1.0"

SAMPLE = Path(__file__).parent / "sample" / "papers.jsonl"
"""Short digests of real papers, which `paperclaims run` reads when it is given no source."""

__all__ = [
    "SAMPLE",
    "TABLES",
    "Extraction",
    "Extractor",
    "Paper",
    "PipelineError",
    "Reject",
    "Rules",
    "RunSummary",
    "Span",
    "__version__",
    "load_rules",
    "read",
    "read_table",
    "run",
]

# Imported when first used: spaCy and Arrow take a second, and `paperclaims --help` needs neither.
_HOME = {
    "Extraction": "records",
    "Extractor": "extract",
    "Paper": "records",
    "PipelineError": "records",
    "Reject": "records",
    "Rules": "rules",
    "RunSummary": "store",
    "Span": "records",
    "TABLES": "tables",
    "load_rules": "rules",
    "read": "sources",
    "read_table": "tables",
    "run": "store",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'pipeline' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"pipeline.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
