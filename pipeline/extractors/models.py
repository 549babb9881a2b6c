"""Models and methods: one record per distinct name, with its kind and what it is to the paper."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence

from pipeline.extractors.names import Candidate, Name, key_of
from pipeline.records import Model, ModelKind, ModelRole
from pipeline.rules import Entry

_MODEL_LIKE = re.compile(
    r"(?:BERT|GPT|LLaMA|Llama|LLM|LM|VLM|Net|Former|former|CLIP|VAE|GAN|T5|ViT|Coder|Instruct|Chat|ResNet|MLLM|VLA|RM|LMM|Reasoner)(?:[-\d.]|$)|\d+(?:\.\d+)?[BM](?:$|-)"
)
_GLUE = re.compile(r"[\s_~-]+")
_SIZE = re.compile(r"\d+(?:\.\d+)?[bm]")
# names of variants as their makers mostly write them
_STYLES = {
    word.lower(): word
    for word in (
        "Instruct Chat Coder Math Vision VL Audio Omni Thinking Preview Flash Pro Ultra Distill XL XXL Air Next"
        " base large small tiny medium huge mini nano turbo cased uncased"
    ).split()
}
# how a known model is proposed; a looser phrase would make BERT the proposal of whoever uses it
_DIRECT = frozenset({"title-colon", "propose", "propose-called", "name-is-a"})
_SURE = frozenset({"title-colon", "resulting"})


def canonical(name: Name, candidate: Candidate) -> str:
    """The spelling that joins a family's names: "Llama2-7B" and "LLaMA 2 7B" are "LLaMA-2-7B"."""
    if name.entry is None:
        return candidate.surface
    return _canonical(name.entry, candidate.surface)


@functools.lru_cache(maxsize=1 << 14)
def _canonical(entry: Entry, surface: str) -> str:
    for spelling in sorted(entry["names"], key=lambda name: (len(name), name)):
        head = key_of(spelling)
        if not key_of(surface).startswith(head):
            continue
        at, seen = 0, ""
        while at < len(surface) and seen != head:
            at += 1
            seen = key_of(surface[:at])
        rest = surface[at:].strip(" -_")
        if rest == "s":
            rest = ""  # "LLaMAs"
        elif rest and surface[at - 1 : at + 1].isalpha():
            continue  # the "XLM-R" of "XLM-RoBERTa", which is another of its names
        rest = _GLUE.sub("-", rest)
        rest = "-".join(_styled(part) for part in rest.split("-"))
        return f"{entry.key}-{rest}" if rest else entry.key
    return surface


def _styled(part: str) -> str:
    """One spelling for a version, a size or a variant: 7b is 7B, instruct Instruct, Large large."""
    if _SIZE.fullmatch(part):
        return part.upper()
    return _STYLES.get(part.lower(), part)


def models(names: Sequence[Name], counts: Mapping[str, int]) -> list[Model]:
    """The records of the names that are models, by canonical name; `counts` are mentions by it."""
    found: dict[str, Model] = {}
    for name in names:
        if name.table != "models":
            continue
        best = name.best
        spelling = canonical(name, best)
        if spelling in found:
            continue
        found[spelling] = Model(
            span=best.text.span(best.start, best.end),
            rule=name.rule,
            name=spelling,
            family=name.entry.key if name.entry is not None else None,
            kind=_kind(name),
            role=role_of(name),
            mentions=max(1, counts.get(spelling, 0)),
        )
    return list(found.values())


def role_of(name: Name) -> ModelRole:
    """What a model is to the paper, by the phrases it stands in."""
    roles = name.roles
    direct = name.said & _DIRECT
    if roles["proposed"] and (
        name.entry is None or name.said & _SURE or len(direct) > roles["base"] + roles["baseline"]
    ):
        return "proposed"
    if roles["baseline"] and roles["baseline"] >= roles["base"]:
        return "baseline"
    return "base" if roles["own part"] else "mentioned"


def _kind(name: Name) -> ModelKind:
    if name.entry is not None:
        kind: ModelKind = name.entry["kind"] or "model"
        return kind
    if name.kinds["model"] > name.kinds["method"]:
        return "model"
    if name.kinds["method"]:
        return "method"
    return "model" if any(_MODEL_LIKE.search(c.surface) for c in name.candidates) else "method"
