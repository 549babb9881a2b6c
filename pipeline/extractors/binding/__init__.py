"""What a reported value is bound to: benchmark, metric, baseline and model.

Each is read from what stands in the value's clause, else from its list ("17.5% and 24.1% on A and
B"), else by an explicit carry-over, else not at all. Patterns run over the sentence's skeleton;
every gap in them is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from pipeline.extractors.binding import learned
from pipeline.extractors.binding.claims import (
    ASIDE,
    COMMAS,
    SIDE_BY_SIDE,
    Claim,
    Context,
    Direction,
    Known,
    Words,
    is_list_glue,
)
from pipeline.extractors.binding.metric import MetricBinding
from pipeline.extractors.binding.model import ModelBinding

__all__ = ["COMMAS", "Binding", "Claim", "Context", "Direction", "Known", "Words", "is_list_glue"]

_AVERAGED = re.compile(
    r"\b(?:average(?! (?:precision|recall|displacement|surface|symmetric|treatment|return))|"
    r"mean(?! (?:average|squared?|absolute|reciprocal|intersection|opinion|iou)))\b",
    re.IGNORECASE,
)


class Binding(MetricBinding, ModelBinding):
    """The claims of one sentence, bound one after the other."""

    def bind(self) -> None:
        """Binds every claim; a baseline said once of a list is said of each of its values."""
        for i, claim in enumerate(self._claims):
            level = self._level_of(i) if claim.kind == "delta" else None
            claim.metric = self._metric(i) or self._lent_metric(i, level)
            claim.benchmarks = self._benchmarks(i)
            if level is not None and level.metric == claim.metric:
                claim.benchmarks = claim.benchmarks or list(level.benchmarks)
            claim.baseline = self._baseline(i)
            claim.model = self.model(claim)
        for i, group in enumerate(self._groups):
            if len(group) > 1 and group[0] is self._claims[i]:
                self._share(group)
        for claim in self._claims:
            self._is_averaged(claim)

    def weigh(self) -> None:
        """Gives each claim without a metric the one that the words around it speak for."""
        for claim, group in zip(self._claims, self._groups, strict=True):
            if claim.metric is None and (found := learned.metric(claim, self._claims, group)):
                start = self._words.noun_start(self._body, *found)
                claim.metric = self._words.surface(claim, start, found[1])
                self._is_averaged(claim)

    @staticmethod
    def _is_averaged(claim: Claim) -> None:
        if claim.metric and _AVERAGED.search(claim.metric):
            claim.qualifiers.add("average")

    def _share(self, group: Sequence[Claim]) -> None:
        """Gives each value of a list what is said once of all of them."""
        baseline = next((claim.baseline for claim in group if claim.baseline), None)
        if group[0].kind != "factor":
            for claim, after in zip(reversed(group[:-1]), reversed(group[1:]), strict=True):
                if ASIDE.sub("", self._body[claim.offset + 2 : after.offset]) in SIDE_BY_SIDE:
                    claim.metric = claim.metric or after.metric
            for claim, before in zip(group[1:], group, strict=False):
                claim.metric = claim.metric or before.metric
        shared = group[0].benchmarks
        for claim in group:
            if claim.kind != "score" or not self._is_rival(claim):
                claim.baseline = claim.baseline or baseline
        if any(claim.benchmarks and claim.benchmarks != shared for claim in group):
            return
        if not self._measured_on(self._order[id(group[0])], turn=False):
            apart = [self._body[a.offset + 2 : b.offset] for a, b in pairwise(group)]
            one_each = (
                len(shared) == len(group)
                and len({claim.metric for claim in group}) == 1
                and all(glue in COMMAS for glue in apart)
            )
            for claim, own in zip(group, shared if one_each else group, strict=True):
                if not self._held_by_a_word(claim):
                    claim.benchmarks = [own] if isinstance(own, str) else shared
