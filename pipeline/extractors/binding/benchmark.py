"""The benchmarks a value is measured on."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from itertools import pairwise

import regex

from pipeline.extractors.binding.claims import (
    FAR,
    VERSUS,
    Claim,
    Context,
    Known,
    SentenceClaims,
    Words,
    is_list_glue,
)
from pipeline.skeleton import Skeleton

_LONGEST_LIST = 12  # values of a list that may wait for one benchmark
_NOUNS = r"(?:benchmark|benchmarks|dataset|datasets|test|set|tests|data|task|tasks|evaluation) "
_ON = re.compile(
    r"(?<![^ ])(?<!trained )(?<!training )(?<!tuned )(?<!tuning )(?<!compared )(?<!relative )(?:on|in|for|over|across|at|from|of|to|with|using|against|under|within|,|\() "
    r"(?:(?!on |in |and |or |by |with |of |B |, |\. |; |than )[^ ]+ ){0,5}?"
    rf"(?P<b>B (?:\( [^ ]+ (?:[^ ]+ )?\) )?(?:{_NOUNS}){{0,2}}"
    r"(?:(?:, and |, or |, |and |or |& |/ |as well as |, as well as )(?:on |the |on the |both )?"
    r"B (?:(?:benchmark|benchmarks|dataset|datasets) )?)*)"
)
# "B by 3%", "B (depth) by 3%", "B (81.2%": no other benchmark can be meant
_HELD = re.compile(
    r"(?<![^ ])(?P<b>B )(?:\( (?:[^ ()]+ ){1,3}\) )?(?:by|to|:|is|=|\() "
    r"(?:(?:up|to|about|around|over|nearly|approximately|an?|average|of|the) ){0,3}$"
)
# "an ImageNet accuracy of"
_HELD_METRIC = re.compile(
    r"(?<![^ ])(?P<b>B )(?:(?!and |or |with |in |on |for |of |an? |at |by |while |to )[^ ,.;:()PXQNUCDMBK]+ ){0,3}"
    r"K (?:score |scores )?(?:of|:) "
    r"(?:(?:up|to|about|around|over|nearly|only|just) ){0,3}$"
)
# "by 50%, and boosts speed on A by 2%": A is held for the second value, unless it stands near
_BY_NEXT = re.compile(r"by (?:(?:up|to|about|over|an?|average|of) ){0,3}")
_NEAR_ON = re.compile(r" (?:[^ ,.;:()]+ )?(?:on|in|for|over|across|at) ")
# "improves A and B by 6% and 4%"
_LISTED_BY = re.compile(
    r"(?<![^ ])(?P<b>B (?:(?:, and |, |and )B )+)by (?:(?:up|to|about|over) ){0,2}$"
)
# the same after prepositions that can mean nothing else, for what stands before another value
_ON_FIRM = re.compile(
    r"(?<![^ ])(?:on|in|for|over|across) "
    r"(?:(?!on |in |and |or |by |with |of |an? |B |, |\. |; |than )[^ ]+ ){0,4}"
    r"(?P<b>B (?:(?:, and |, |and |& |/ )B )*)"
)
_CLOSED = re.compile(r"[^()]{0,200}\) (?!on |in |for |across |over )")
_AND_ON = re.compile(
    r"(?:, )?and (?:in |for )?(?:(?!on |in |and |by |B |, |\. |; |than |outperform|achiev|improv|reduc|exceed|reach|attain|surpass|[PQXDNUC] )[^ ]+ ){0,5}?(?:on|in|for) "
    r"(?:the )?(?P<b>B )"
)
_ON_A_NAME = regex.compile(
    r"\s(?:on|across|of)\s(?:the\s)?\p{Lu}[\p{L}\d]*(?:[-\p{Lu}\d]|\s\p{Lu})"
)
_ON_MANY = re.compile(
    r"(?:[^ ,.;:()]+ ){0,2}?(?:(?:on|across|over) (?:multiple|various|several|diverse|different|many|unseen|other|real-world)"
    r"|on (?:two|three|four|five|six|seven|eight|nine|ten|[NQ])) (?:[^ ,.;]+ ){0,3}?(?:benchmarks?|datasets?|tasks?|domains?|settings?) "
)
# "on the long-caption dataset": another one than what has a name
_ON_UNNAMED = re.compile(
    r"(?:[^ ,.;:()]+ ){0,2}?on the (?!(?:proposed|same|new|our|full|whole|entire|official|standard|test|validation|hard|challenging|large-scale|hidden|final|[^ ]*set) )"
    r"(?:[^ ,.;:()MB]+ ){1,3}(?:dataset|benchmark|split|subset) "
)
# benchmarks that a sentence names beside the one it measures on
_OTHERS = re.compile(
    r"(?:compared (?:to|with)|such as|like|than|unlike|relative to) (?:[^ ,.;]+ ){0,2}?(?:B (?:, |and )?)+"
)
_SUCH_AS = re.compile(
    r"(?:such as|like|e\.?g \.|e\.g \. ,|including|than|unlike|compared (?:to|with)|relative to) (?:[^ ]+ ){0,3}$"
)
# what a sentence says its values are measured on: the benchmarks of the one before, or others
_THESE = re.compile(
    r"(?<![^ ])(?:these|both|the (?:two|three|four|five|six|same)|all (?:two|three|four|five|six|of them)|each of (?:these|them)) "
    r"(?:[^ ,.;]+ ){0,2}?(?:benchmarks?|datasets?|tasks?|test sets?|corpora|testbeds?|suites?|collections?|settings?) "
)
_OTHER_DATA = re.compile(
    r"(?<![^ ])(?:on|across|over) (?!(?:the|our|this) )(?:[^ ,.;]+ ){0,4}?(?:benchmarks|datasets?|tasks?|problems|images|videos|environments) "
)
_BREAK = re.compile(r";|(?:^| )(?:while|whereas|but) ")
_NEW_CLAUSE = re.compile(
    r", (?:and )?(?:(?:we|it|they) |our (?:[^ ,]+ ){1,2}|the (?:proposed )?(?:model|method|approach) )"
    r"(?:can |also )?(?:achiev|reach|obtain|outperform|attain|perform|surpass|match)\w* "
)
# "7.4 WikiText2 perplexity": no preposition is needed
_OF_ITS_OWN = re.compile(r" (?:[^ ,.;:()PXQNUCDMBK]+ )?(?P<b>B )(?:[^ ,.;:()PXQNUCDMB]+ ){0,2}?K ")
# "On A and B, it gains 3%, while saving 5%": said of all that follows
_OPENED_ON = re.compile(
    r"(?:[^ ,]+ , )?(?:on|across|in) (?:(?!and |or |B )[^ ,.;:]+ ){0,5}?(?P<b>B (?:(?:, and |, |and |& )B )*)(?:[^ ,.;:]+ ){0,3}, "
)
_WORD_HOLDS = re.compile(r"(?:, |and )(?P<word>[^ ,.;:()PXQNUCDMBK]+ )\( $")
_NAMED = regex.compile(r"\p{Lu}[\p{L}\d]*(?:-\p{Lu}|\d|\p{Lu})")
# "46.6 macro-F1 on Housing", "93% for the Puns dataset": a word that is no record
_ON_WORD = re.compile(
    r"(?:(?:K|[^ ,.;:()PXQNUCDMB]+) ){0,3}?(?:on|for|in) (?:the )?([^ ,.;:()PXQNUCDKMB]+ )(?:dataset|corpus|benchmark|subset|split|test set|task) "
    r"|(?:(?:K|[^ ,.;:()PXQNUCDMB]+) ){0,3}?on ([^ ,.;:()PXQNUCDKMB]+ )(?:(?!and )[^ ,.;:()PXQNUCDKMB]+ ){0,3}(?=[.,;)]|and [PQDX])"
)
_RESOURCES = re.compile(r"memory|time|latency|cost|comput|token|flops|storage|speed", re.IGNORECASE)
# a sentence that tells of another test
_ANEW = re.compile(
    r"(?:on|across) |(?:[^ ,]+ ){0,3}?(?:experiments?|evaluations?|study|studies|analysis|analyses) "
)
_CARRIES = re.compile(
    r"(?:more importantly|furthermore|moreover|further|additionally|also|in addition|besides|"
    r"specifically|notably|in particular|surprisingly|continued) "
)


class BenchmarkBinding(SentenceClaims):
    """Binds claims to benchmarks: named after the value, in its list, before it, or carried over."""

    def __init__(
        self,
        sentence: Skeleton,
        claims: Sequence[Claim],
        known: Known,
        context: Context,
        words: Words,
    ) -> None:
        super().__init__(sentence, claims, known, context, words)
        self._measured: dict[tuple[int, bool], list[str]] = {}
        self._between: dict[int, bool] = {}

    # What is asked of a sentence for each of its values is read once.

    @functools.cached_property
    def _names_its_own(self) -> bool:
        return "B " in _OTHERS.sub("", self._body)

    @functools.cached_property
    def _says_these(self) -> bool:
        return _THESE.search(self._body) is not None

    @functools.cached_property
    def _on_other_data(self) -> bool:
        return _OTHER_DATA.search(self._body) is not None

    @functools.cached_property
    def _says_respectively(self) -> bool:
        return "respectively " in self._body

    def _benchmarks(self, i: int) -> list[str]:
        claim = self._claims[i]
        previous = self._offsets[i - 1] + 2 if i else 0
        if own := self._one_of_run(i):
            return [own]
        if self._held_by_a_word(claim):
            return []
        first = self._order[id(self._runs[i][0])]
        start = max(self._offsets[first - 1] + 2 if first else 0, self._offsets[first] - FAR)
        near = self._body[start : self._offsets[first]]
        if held := _HELD.search(near) or _HELD_METRIC.search(near):
            return self._names(start + held.start("b"), start + held.end("b"))
        group = self._groups[i]
        here = self._measured_on(i)
        if here:
            one_each = len(group) > 1 and group[-1] is claim and len(here) == len(group)
            return here[-1:] if one_each and not self._interleaved(i) else here
        if self._elsewhere(i):
            return []
        before = self._claims[i - 1] if i else None
        if before is not None and VERSUS.search(
            self._body[max(previous, claim.offset - 40) : claim.offset]
        ):
            return list(before.benchmarks)
        if named := self._respectively(group):
            return [named[self._in_list[id(claim)]]]
        if group[-1] is not claim:
            place = self._in_list[id(claim)]
            names = self._measured_on(i + len(group) - 1 - place, turn=False)
            if len(names) == len(group):
                return [names[place]]
            # "26.8 PQ, 16.8 AP and 34.1 mIoU on A, 18.2 PQ and 27.9 mIoU on B"
            for n in range(i + 1, min(i + _LONGEST_LIST, i - place + len(group))):
                if named := self._measured_on(n, turn=False):
                    return named
        return self._benchmarks_before(i, previous) or self._carried(claim)

    def _held_by_a_word(self, claim: Claim) -> bool:
        """Whether a value stands in brackets after a word that looks like a name and is none:
        "MMLU (70%), Zap-Hard (52%)".
        """
        found = _WORD_HOLDS.search(self._body, max(0, claim.offset - 60), claim.offset)
        if found is None:
            return False
        start, end = self._sentence.range(*found.span("word"))
        return _NAMED.match(claim.text.text, start, end) is not None

    def _one_of_run(self, i: int) -> str | None:
        """The benchmark of one of several values side by side, if as many are named after them, or
        after the next values side by side: "71% and 58% over A and 20% and 17% over B on C and D".
        """
        run = self._runs[i]
        end = self._order[id(run[-1])]
        place = i - self._order[id(run[0])]
        if len(run) < 2:
            return None
        last = end
        for _ in range(_LONGEST_LIST):
            names = self._measured_on(last, turn=False)
            if names or last + 1 >= len(self._claims):
                break
            following = self._runs[last + 1]
            if len(following) != len(run) or following[0].kind != run[0].kind:
                break
            last += len(run)
        if not names:
            low = max(0, run[0].offset - FAR)
            if listed := _LISTED_BY.search(self._body[low : run[0].offset]):
                names = self._names(low + listed.start("b"), low + listed.end("b"))
        if len(names) == len(run):
            return names[place]
        earlier = self._claims[i - len(run)] if i >= len(run) else None
        before = self._runs[self._order[id(run[0])] - 1] if earlier is not None else []
        if names or earlier is None or len(before) != len(run) or earlier.kind != run[0].kind:
            return None
        each = [claim.benchmarks for claim in before]
        apart = all(len(one) == 1 for one in each) and len({one[0] for one in each}) == len(each)
        return earlier.benchmarks[0] if apart else None

    def _respectively(self, group: Sequence[Claim]) -> list[str]:
        """The benchmarks named before a list of as many values, "respectively" one each."""
        end = group[-1].offset + 2
        if len(group) < 2 or "respectively " not in self._body[end : end + 80]:
            return []
        first = self._order[id(group[0])]
        low = self._offsets[first - 1] + 2 if first else 0
        low = max(low, group[0].offset - FAR)
        names = list(dict.fromkeys(self._names(low, group[0].offset)))
        if len(names) > len(group):
            # "built on A, it transfers to B and C, reaching 3% and 5%, respectively"
            at = [
                offset
                for offset, item in self._sentence.items_in(low, group[0].offset)
                if item.symbol == "B"
            ][-len(group) :]
            listed = all(is_list_glue(self._body[a + 2 : b]) for a, b in pairwise(at))
            names = list(dict.fromkeys(self._names(at[0], group[0].offset))) if listed else []
        return names if len(names) == len(group) else []

    def _measured_on(self, i: int, *, turn: bool = True) -> list[str]:
        """The benchmarks named after a value and before the next."""
        if (i, turn) not in self._measured:
            self._measured[i, turn] = self._read_after(i, turn=turn)
        return list(self._measured[i, turn])

    def _read_after(self, i: int, *, turn: bool) -> list[str]:
        low = self._offsets[i] + 2
        after = " " + self._body[low : min(self._next(i), low + FAR)]
        if closed := _CLOSED.match(after):
            after = after[: closed.end()]  # "Maths (+5.5 points) and more, as good as X on A"
        match = _OF_ITS_OWN.match(after) or _ON.search(after)
        if not match or (turn and _BREAK.search(after, 0, match.start("b"))):
            return []
        if _NEW_CLAUSE.search(after, 0, match.start("b")):
            return []  # "by 45%, and it also achieves gains on A"
        if after.endswith("( ", 0, match.start("b")) and after.startswith(": ", match.end()):
            return []  # "(MMLU: 71%": held for the value after it
        if _BY_NEXT.fullmatch(after, match.end()) and not _NEAR_ON.match(after):
            return []  # "by 50%, and boosts speed on A by 2%"
        names = self._names(low - 1 + match.start("b"), low - 1 + match.end("b"))
        while more := _AND_ON.match(after, match.end()):
            # "by 5% in image compression on A and video compression on B"
            names += self._names(low - 1 + more.start("b"), low - 1 + more.end("b"))
            match = more
        return names

    def _elsewhere(self, i: int) -> bool:
        """Whether a value is said to be measured on other things: by a name that is no record,
        on average over them, or on "multiple benchmarks".
        """
        claim = self._claims[i]
        if self._measured_on(i, turn=False):
            return False
        if _ON_A_NAME.match(claim.text.text, claim.item.end, claim.bounds[1]):
            return True
        low = self._offsets[i] + 2
        word = _ON_WORD.match(self._body, low, min(self._next(i) + 2, low + FAR))
        if word and (self._names_its_own or self._known.only is None):
            start, _ = self._sentence.range(*word.span(word.lastindex or 0))
            if claim.text.text[start].isupper():
                return True
        if self._names_its_own and _ON_UNNAMED.match(self._body, low, self._next(i)):
            return True
        average = self._body.startswith("on average and ", low)
        return average or _ON_MANY.match(self._body, low, self._next(i)) is not None

    def _interleaved(self, i: int) -> bool:
        """Whether benchmarks stand between the values of a claim's list."""
        first = i - self._in_list[id(self._claims[i])]
        if first not in self._between:
            last = first + len(self._groups[i]) - 1
            self._between[first] = any(self._measured_on(n, turn=False) for n in range(first, last))
        return self._between[first]

    def _benchmarks_before(self, i: int, previous: int) -> list[str]:
        """Those of "On A, it gains 3%": before the value, and after the one before it if any."""
        claim = self._claims[i]
        low = self._window(i)[1]
        start = max(previous, low)
        near = self._names(start, claim.offset)
        if near:
            matches = list(_ON.finditer(" " + self._body[start : claim.offset]))
            if matches:
                match = matches[-1]
                apart = start - 1 + match.end("b")
                aside = claim.kind in ("factor", "share") or _RESOURCES.search(claim.metric or "")
                opens = start == 0 and match.start() <= 1  # "On A, it is as good, while 5x faster"
                if aside and not opens and _BREAK.search(self._body, apart, claim.offset):
                    return []
                return self._names(start - 1 + match.start("b"), start - 1 + match.end("b"))
            last = self._body.rfind("B ", start, claim.offset)
            return [] if _SUCH_AS.search(self._body[max(0, last - 60) : last]) else near[-1:]
        if previous > low and claim.listed is None:
            if _BREAK.search(self._body, previous, claim.offset):
                opened = _OPENED_ON.match(self._body, 0, previous)
                return self._names(*opened.span("b")) if opened else []
            matches = list(_ON_FIRM.finditer(" " + self._body[low:previous]))
            if matches:
                match = matches[-1]
                return self._names(low - 1 + match.start("b"), low - 1 + match.end("b"))
        return []

    def _carried(self, claim: Claim) -> list[str]:
        """A benchmark named outside the sentence, where it is unmistakably what was measured."""
        told = self._told_ends(claim)
        if told is not None:
            return list(told.benchmarks)
        resource = claim.metric is not None and _RESOURCES.search(claim.metric)
        if claim.kind in ("factor", "share") or self._names_its_own or resource:
            return []
        these = self._says_these
        if len(self._context) > 1 and (these or self._says_respectively):
            group = self._groups[self._order[id(claim)]]
            if len(group) == len(self._context):
                return [self._context[self._in_list[id(claim)]]]
            return list(self._context) if these and len(group) == 1 else []
        if not these and self._on_other_data:
            return []
        if len(self._context) == 1 and (
            these or (self._tested and not _ANEW.match(self._body)) or _CARRIES.match(self._body)
        ):
            return list(self._context)
        only, said = self._known.only, self._known.only_said
        if not only or said is None:
            return []
        place = claim.text.span(claim.item.start, claim.item.end).start
        return [only] if place >= said else []

    def best_benchmarks(self, low: int, next_claim: int) -> list[str]:
        """The benchmarks a claim of being best is made on: those named after it, else before it in
        its sentence, "experiments on A and B show that it outperforms all others".
        """
        if any(i.symbol == "B" for _, i in self._sentence.items_in(low, next_claim)):
            match = _ON.search(" " + self._body[low : low + FAR])
            if match is not None:
                return self._names(low - 1 + match.start("b"), low - 1 + match.end("b"))
        far = max(0, low - FAR)
        before = [*_ON.finditer(" " + self._body[far:low])]
        if not before or "; " in self._body[far + before[-1].end() : low]:
            return []
        return self._names(far - 1 + before[-1].start("b"), far - 1 + before[-1].end("b"))
