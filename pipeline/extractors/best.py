"""Claims of being best that come without a value: their words, and what they are bound to."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from pipeline.extractors.binding import Binding, Claim
from pipeline.extractors.phrases import Phrases
from pipeline.language import Text
from pipeline.rules import Entry, Rules
from pipeline.skeleton import Item, Skeleton

_MENTIONED = re.compile(
    r"(?:compared (?:with|to)|over|against|short of|than|previous|prior|existing|versus|among|two|"
    r"three|four|five|several|many|by|between|of) (?:the |previous |prior |existing |other )?$"
)
_DENIED = re.compile(
    r"(?:not(?! only)|(?:comparable|similar|equal)(?: to| with)? or|well as or|fail\w*|without|far from|however|struggle\w*|par with|currently|become|becoming|been|whether|select\w*|choos\w+|pick\w*|"
    r"cannot|aims?|aiming|unable) (?:[^ ]+ ){0,2}$"
)
_NEXT_CLAUSE = re.compile(
    r"(?<![^ ])(?:and|while|but) (?:also |even )?(?:is|are|was|were|being|runs?|running|requir\w+|us(?:es|ing)|reduc\w+|"
    r"sav(?:es|ing)|cut(?:s|ting)|needs?) "
)
_ALIKE = re.compile(r"(?:or|and|to) (?:comparable|similar|competitive)|(?:comparable|similar) or ")
_MEASURED_AGAINST = re.compile(
    r"(?:(?:competitive|comparable|par|compare|compared|compar\w+ (?:it|them|[^ ]+)|match\w*|close|"
    r"similar) (?:with |to )?|over |than |against )(?:the |previous |prior |existing |current |other |"
    r"strong |several |recent ){0,3}(?:state|sota|best|cutting)"
)
# "improves a state-of-the-art algorithm": what is used or beaten, and no claim
_SUCH_A = re.compile(
    r"(?:state-of-the-art|state of the art|sota|state-of-art) (?:\( [^ ]+ \) )?"
    r"(?:(?!among |of |on |in |for |performance |results? |accuracy |, |\. )[^ ]+ ){0,3}?"
    r"(?:models?|methods?|approach|approaches|algorithms?|baselines?|systems?|techniques?|llms?|"
    r"networks?|detectors?|generation|counterparts?|architectures?|solutions?|frameworks?|M) "
)
_PART_OF = re.compile(
    r"(?<! performance)(?<! accuracy)(?<! quality)(?<! results) (?:of|between|for) (?:the |current |recent |existing )?(?:state-of|state of|sota|cutting-edge)"
)
_AMOUNT_BEFORE = re.compile(r"(?<![^ ])[PXQND] (?:(?![PXQNDU,;:.()] )[^ ]+ ){0,3}$")
_GAIN_NOUN = re.compile(
    r"(?:improvement|gain|advantage|superiority|better|superior|stronger|higher|greater|accurate|"
    r"efficient|robust)s? "
)
_NEW = re.compile(r"(?:^| )(?:new|a new|the new) ")
_BEATS = re.compile(
    r"(?:outperform|surpass|exceed|beat|improv|outscor|outpac|superior|better than|outclass|outshin|"
    r"excel|over|gains? over)\w* "
)
_PURPOSE = re.compile(
    r"(?:(?<!able )(?<!shown )(?<!manages )(?<!us )(?<!it )(?<!them )(?<!proven )(?<!demonstrated )(?<!model )"
    r"(?<!models )(?<!found )to|for|of|towards?|toward|while|can|could|have|has|had|often|typically|usually) (?:be |been )?"
    r"(?:achiev|reach|attain|obtain|push|train|advanc|establish|yield|demonstrat|show)\w* "
    r"(?:[^ ]+ ){0,3}"
)


class Best:
    """Finds claims of being best; built once from the rules."""

    def __init__(self, rules: Rules) -> None:
        self._phrases = Phrases(rules, "sota")

    def may_claim(self, sentence: str) -> bool:
        """Whether a sentence holds the words of a phrase, without which none can match."""
        return self._phrases.may_match(sentence)

    def places(self, sentence: Skeleton, claims: Sequence[Claim]) -> list[tuple[int, int, Entry]]:
        """Where a skeleton claims to be best, in order, none overlapping another; `claims` are
        those of its values.
        """
        valued = [claim.offset for claim in claims if claim.kind in ("delta", "factor")]
        found: list[tuple[int, int, Entry]] = []
        for entry, match in self._phrases.find(sentence):
            low, high = match.span()
            at = bisect_left(found, high, key=lambda place: place[0])
            if at and found[at - 1][1] > low:
                continue
            if _claims_best(sentence.text, low, high, valued, beats=entry.key == "beats-all"):
                found.insert(at, (low, high, entry))
        return found


def bound(
    places: Sequence[tuple[int, int, Entry]],
    text: Text,
    sentence: Skeleton,
    bounds: tuple[int, int],
    binding: Binding,
) -> Iterator[Claim]:
    """The claims at these places of a sentence, bound."""
    starts = [low for low, _, _ in places] + [len(sentence.text)]
    for i, (low, high, entry) in enumerate(places):
        item = Item(*sentence.range(low, _trimmed(sentence.text, low, high)), "N", None)
        claim = Claim(text, sentence, bounds, low, item, entry, "sota", None)
        claim.benchmarks = binding.best_benchmarks(low, starts[i + 1])
        claim.baseline = binding.best_baseline(claim, high, beats=entry.key == "beats-all")
        claim.model = binding.model(claim)
        yield claim


_LAST = frozenset(
    ". , ; ( ) on in for across among at with by when while and or over to of".split()
)


def _trimmed(body: str, low: int, high: int) -> int:
    """Where the words of a claim end without the sign or preposition a phrase ends in."""
    while (at := body.rfind(" ", low, high - 1)) > low and body[at + 1 : high - 1] in _LAST:
        high = at + 1
    return high


def _claims_best(body: str, low: int, high: int, valued: Sequence[int], *, beats: bool) -> bool:
    """Whether words about the state of the art claim it, and do not merely mention it.

    `valued` are the offsets of the sentence's differences: where "outperforms X by 3%" has its
    value, the value is the claim.
    """
    before, words = body[max(0, low - 80) : low], body[low:high]
    if _MENTIONED.search(before) and not _BEATS.search(words):
        return False
    if _PART_OF.search(words):
        return False
    if _DENIED.search(before) or _ALIKE.search(words):
        return False
    if not beats and _MEASURED_AGAINST.search(before[-40:] + words) and not _BEATS.match(words):
        return False
    if _GAIN_NOUN.match(words) and _AMOUNT_BEFORE.search(before):
        return False  # "a 22% improvement over existing methods"
    if beats or _BEATS.search(words) or _BEATS.search(body, max(0, low - 24), low):
        clause_end = body.find("; ", high)
        at = bisect_left(valued, high - 2)
        if at == len(valued) or (0 <= clause_end <= valued[at]):
            return True
        # "outperforms all methods and is 2x faster than the best of them"
        return bool(_NEXT_CLAUSE.search(body, high, valued[at]))
    if _SUCH_A.search(words + body[high : high + 60]) and not _NEW.search(before[-9:] + words[:9]):
        return False
    return not (_PURPOSE.search(before) or _PURPOSE.search(before[-40:] + words))
