"""What a value is compared with."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

import regex

from pipeline.extractors.binding.claims import FAR, Claim, SentenceClaims, places

_OVER = (
    r"(?<![^ ])(?:comparable (?:[^ ]+ ){0,3}?(?:to|with)|similar (?:[^ ]+ ){0,2}?(?:to|as)|"
    r"on par with|in comparison (?:to|with)|with respect to|"
    r"(?:when |as )?compared (?:to|with|against)|relative to|comparing (?:to|with)|versus|vs \. |"
    r"vs|(?<!rather )than|over|against|better than|from|beyond|surpassing|outperforming|exceeding|w\.r\.t|"
    r"(?:fast|many|much|efficient|large|high|good|accurate|likely|effective) as|beating|behind|ahead of|above|below) "
)
_NP_END = (
    r"(?=(?:, |- |\. |; |: |\) |\( |and (?:(?!, )[^ ]+ ){0,3}?(?:achiev|improv|reduc|outperform|"
    r"offers|provides|shows|demonstrat|exhibits|maintains|enables|generalizes|reaches|by|a P|X|P)|"
    r"while |whereas |with (?!(?:supervised|full|no|only|prior|previous) )|on |in (?!-)|for |by |"
    r"when |using |across |under |at |through |without |despite |as |but |where |which |that |"
    r"after |during |via |achieving |and P |and X |and Q |respectively|to (?!the)|"
    r"P |X |Q |C |D |is |are |per )|$)"
)
_NP = r"(?P<np>(?![PQXDU] )(?:such as |(?![.;:] )[^ ]+ ){1,10}?)"
_BASELINE_AFTER = re.compile(_OVER + _NP + _NP_END)
_BASELINE_VERB = re.compile(
    r"(?<![^ ])(?:outperform(?:s|ed|ing)?|surpass(?:es|ed|ing)?|exceed(?:s|ed|ing)?|"
    r"beat(?:s|ing)?|improv(?:es?|ed|ing) (?:up)?on|improv(?:es?|ed|ing) over|"
    r"outscor(?:es?|ed|ing)|better(?:s|ed)|superior to) " + _NP + _NP_END
)
# "over five datasets", "with very short time": what is compared across, or at what cost
_NO_RIVAL = re.compile(
    r"(?:only|fewer|less|much|very|significantly|far|lower|higher|minimal|no|half|[PNQXUBK]) |"
    r"(?:[^ ]+ ){0,4}?(?:datasets|benchmarks|tasks|settings|runs|seeds|images|languages|domains|"
    r"scenarios|time|years|epochs|times|samples|questions|subjects|participants|steps|metrics|horizons?|"
    r"windows?|periods?|intervals?) |the past "
)
# "over A by 3%, 4% and 5%"
_OVER_BY = re.compile(
    r"(?<![^ ])(?:over|than|against|versus) (?P<np>(?:[^ ,.;:()PXQNUCDK]+ ){1,5}?)by (?:[^ ,.;:()PXQNUCD]+ ){0,3}$"
)
_SPATIAL = ("over ", "from ", "against ", "with ", "behind ", "above ", "below ")
_OPENED = re.compile(
    r"(?:when |as )?(?:compared (?:to|with|against)|relative to|in comparison (?:to|with)|"
    r"comparing (?:to|with)) (?P<np>(?:[^ ,.;:()]+ ){1,9})(?:\( [^ ()]+ \) )?, "
)
_ORIGIN = re.compile(
    r"(?:the |its |a |our )?(?:base|baseline|original|initial|previous|prior|vanilla|standard|"
    r"earlier|unmodified|M) "
)
_COMPARED = (
    "compared", "relative", "when compared", "as compared", "in comparison", "than ", "over ",
)  # fmt: skip
_VALUE_OF = re.compile(
    r"(?:compared (?:to|with)|versus|vs \. |vs|against|over) [PNQ] "
    r"(?:by|for|of|from|achieved by|with) (?P<np>(?:[^ ,.;]+ ){1,5}?)" + _NP_END
)
_SHARE_OF = (
    re.compile(
        r"(?:of )?(?:the )?(?:performance|accuracy|quality|K) of (?P<np>(?:[^ ,.;]+ ){1,5}?)"
        + _NP_END
    ),
    re.compile(
        r"of (?P<np>(?:[^ ,.;]+ ){0,3}?(?:M |human |full |fully-trained |original |baseline |"
        r"teacher )(?:[^ ,.;]+ ){0,2}?)" + _NP_END
    ),
    re.compile(r"of (?:[^ ,.;]+ ){1,4}?(?:of|in) (?P<np>(?:[^ ,.;]+ ){1,6}?)" + _NP_END),
)
_IMPROVED = re.compile(
    r"(?<![^ ])(?:improv|boost|enhanc|increas|rais)\w* (?:the |[^ ]+ ){0,3}?"
    r"(?:K|performance|performances|results|capabilities|abilities) of "
    r"(?P<np>(?:[^ ,.;:()]+ ){1,6}?)(?=, |\( |by |from |on |including )"
)
_BASE_IMPROVED = re.compile(
    r"(?<![^ ])(?:improv|boost|enhanc|increas)\w* (?:over |upon |on )?(?P<np>(?:(?:the|a|our|its) )?(?:[^ ,.;:()PXQNUCD]+ ){0,3}?baselines? )"
    r"(?:performance |accuracy |K |results? )?(?:by|from) "
)
# "other models by 9.3% and the second-best GPT-4 (1T) by 6.9%"
_AND_RIVAL = re.compile(
    r"(?:, |and )(?P<np>(?:the )?(?:[^ ,.;:()MPQXDN]+ ){0,3}?M )(?:\( [^()]{0,40}\) )?by (?:[^ ]+ ){0,3}$"
)
# "tops Maths (+5.5 points), as good as X on A": what stands beyond the bracket is another matter
_CLOSED = re.compile(
    r"[^()]{0,200}\) (?!over |than |compared |relative |against |when |on |in |for )"
)
_OPENING = re.compile(r"(?:on|for|with|over) (?:the )?(?P<np>M )(?:[^ ,]+ ){0,2}?, (?:it|we|our) ")
_BEATING = re.compile(
    r"(?<![^ ])(?:outperforming|surpassing|exceeding|beating) (?P<np>(?:[^ ,.;:()]+ ){1,7}?)"
    + _NP_END
)
_AMONG = re.compile(r"(?:compared (?:to|with)|among|over) (?P<np>(?:[^ ,.;:()]+ ){1,8}?)" + _NP_END)
# "the second-best model, GPT-4, by"
_NAMED_AFTER = re.compile(
    r"(?:the |a |an )?(?:[^ ,.;:()M]+ ){0,4}?(?:models?|methods?|baselines?|systems?|approach|competitor|rival|art) "
    r"(?:, |\( )(?P<np>M )(?:, |\) |by )"
)
# a level that is itself a comparison; any other stands beside what it is set against, and is no
# more than told of a system that beats another: "reaches 75%, outperforming all baselines"
_PREFERENCE = re.compile(r"(?i)\bwin|\bprefer|\bloss|\btie")
_SET_AGAINST = re.compile(
    r"(?:compared (?:to|with|against)|comparison (?:to|with)|relative to|comparing (?:to|with)|versus|vs \.|vs|against|than|over|by|for|of|from) $"
)
# "a score above 19%", "above the 20% baseline"
_NO_BASELINE = frozenset("score scores accuracy performance the a an its their".split())
_CUT_OFF = regex.compile(
    r" ,.*$| \p{Ll}+ly $"
)  # "baselines, improving ...", "the best method significantly"
_NP_LEAD = re.compile(r"(?:that of |those of )")
_NP_TAIL = (" and", " or", ",", " by", " with", " (")


class BaselineBinding(SentenceClaims):
    """Binds claims to baselines, as written and short."""

    def _baseline(self, i: int) -> str | None:
        claim = self._claims[i]
        if claim.kind == "score" and (
            self._bracketed(claim) or self._outdone(i) or self._is_rival(claim)
        ):
            # "reaches 52.2 mIoU, +4.1 higher than X": what is over X is the difference
            return None
        if (told := self._told_ends(claim)) is not None:
            return told.baseline
        level = claim.kind == "score" and not (claim.metric and _PREFERENCE.search(claim.metric))
        for low, high in self._baseline_places(i):
            if not level or _SET_AGAINST.search(self._body, max(0, low - 20), low):
                return self._noun_phrase(self._claims[i], low, high)
        return None

    @functools.cached_property
    def _last_difference(self) -> int:
        kinds = [claim.kind in ("delta", "factor") for claim in self._claims]
        return max((i for i, is_difference in enumerate(kinds) if is_difference), default=-1)

    def _outdone(self, i: int) -> bool:
        """Whether what a level is compared with is said of a difference that follows it."""
        low = self._offsets[i] + 2
        differences = self._last_difference > i
        own = _compared_with(self._body, low, min(self._next(i), low + FAR))
        return differences and not any(match[0].startswith(_COMPARED[:5]) for match in own)

    def _baseline_places(self, i: int) -> Iterator[tuple[int, int]]:
        """Where a claim's baseline may stand, on the strongest evidence first."""
        claim, body = self._claims[i], self._body
        low = claim.offset + 2
        end = min(self._next(i), low + FAR)
        if closed := _CLOSED.match(body, low, end):
            end = closed.end()
        # what a level is set against stands near it; a difference may be told of it later
        far = max(0, claim.offset - (120 if claim.kind == "score" else FAR))
        previous = max(self._offsets[i - 1] if i else 0, far)
        after = body[low : low + FAR]
        first = self._runs[i][0]
        before = body[max(0, first.offset - FAR) : first.offset]
        yield from places(first.offset - len(before), [_OVER_BY.search(before)])
        if claim.kind == "share":
            yield from places(low, (pattern.match(after) for pattern in _SHARE_OF))
        yield from places(low, [_VALUE_OF.match(after)])
        if claim.kind == "delta":
            yield from places(previous, [_AND_RIVAL.search(body[previous : claim.offset])])
        last = self._order[id(self._runs[i][-1])]
        if last > i:
            beyond = self._offsets[last] + 2
            ends = (self._next(last), body.find("; ", beyond), beyond + FAR)
            yield from places(0, _compared_with(body, beyond, min(at for at in ends if at > 0)))
        yield from places(0, _compared_with(body, low, end))
        if claim.whom is not None and claim.kind != "score":
            # "A surpasses B, and C outperforms D by 3%"
            inner = _BASELINE_VERB.finditer(body, claim.whom[0], claim.offset)
            yield from places(0, [*inner][-1:])
            yield claim.whom
        for start in (previous, far):
            yield from places(0, [*_BASELINE_VERB.finditer(body, start, claim.offset)][-1:])
        named = _compared_with(body, previous, claim.offset)
        yield from places(0, [m for m in named if m[0].startswith(_COMPARED)][-1:])
        if claim.listed is not None or len(self._groups[i]) > 1:
            rest = _compared_with(body, claim.offset, claim.offset + 2 * FAR)
            yield from places(0, rest[:1])
        if claim.kind == "delta":
            yield from places(previous, [_IMPROVED.search(body[previous : claim.offset])])
            yield from places(0, [_OPENING.match(body)])
            yield from places(previous, [_BASE_IMPROVED.search(body[previous : claim.offset])])
        yield from places(0, [_OPENED.match(body)])
        start = end if end < len(body) else claim.offset
        yield from places(0, [_BEATING.search(body, start, start + FAR)])

    def best_baseline(self, claim: Claim, high: int, *, beats: bool) -> str | None:
        """What a claim of being best is made over: named in its words, or after them."""
        over = _BASELINE_VERB.search(self._body, claim.offset) if beats else None
        over = over or _AMONG.search(self._body, high - 1, high + FAR)
        return self._noun_phrase(claim, *over.span("np")) if over else None

    def _noun_phrase(self, claim: Claim, low: int, high: int) -> str | None:
        body = self._body
        if apposed := _NAMED_AFTER.match(body, low):
            low, high = apposed.span("np")
        if lead := _NP_LEAD.match(body, low, high):
            low = lead.end()
        if cut := _CUT_OFF.search(body, low, high):
            high = cut.start() + 1
        while high > low and body[low:high].rstrip().endswith(_NP_TAIL):
            high = low + body[low:high].rstrip().rfind(" ") + 1
        named = self._words.surface(claim, low, high) if high > low else None
        return None if named in _NO_BASELINE else named

    def _beaten(self, claim: Claim) -> list[str]:
        """The models a sentence says are beaten, before a value: "beats GPT-4: 96% vs. 61%"."""
        low = max(0, claim.offset - FAR)
        matches = list(_BASELINE_VERB.finditer(self._body, low, claim.offset))
        if not matches:
            return []
        items = self._sentence.items_in(*matches[-1].span("np"))
        return [str(item.of) for _, item in items if item.symbol == "M"]


def _compared_with(body: str, low: int, high: int) -> list[re.Match[str]]:
    """Where a range names what a value is compared with, and not what it is measured over."""
    return [
        match
        for match in _BASELINE_AFTER.finditer(body, low, high)
        if not (match[0].startswith("from ") and not _ORIGIN.match(match["np"]))
        and match["np"][0] not in "PQXDU"
        and not (
            body.endswith(_SPATIAL, match.start(), match.start("np"))
            and _NO_RIVAL.match(match["np"])
        )
    ]
