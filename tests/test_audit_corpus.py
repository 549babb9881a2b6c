"""The arithmetic of real abstracts: everything that is flagged was read by hand, and true claims
with a digit changed at random are found.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.audit import arithmetic

CORPUS = Path(__file__).parents[2] / "shared" / "corpora" / "abstracts.jsonl.gz"
PAGE = CORPUS.with_name("daily-papers-page.txt")
DIGITS = re.compile(r"\d[\d,]*(?:\.\d+)?|\.\d+")

# Read by hand: the change that each tells, and what its ends say that it is.
WRONG = {
    (57.0, 32.76, 89.68): "56.9 points, and 173.7% relative",
    (7.8, 74.0, 81.8): "7.8 points, and 10.5% relative",
    (52.5, 1.179, 1.898): "61.0%",
}

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.skipif(not CORPUS.exists(), reason="the abstracts of ../shared are not here"),
]


def texts() -> Iterator[str]:
    with gzip.open(CORPUS, "rt", encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            yield from (str(record.get(field) or "") for field in ("title", "abstract"))


@pytest.fixture(scope="module")
def told() -> list[tuple[str, arithmetic.Told]]:
    return [(text, one) for text in texts() for one in arithmetic.told(text)]


def flagged(one: arithmetic.Told) -> bool:
    return arithmetic.reading(one) is None and not one.approximate


def test_all_that_is_flagged_was_read_by_hand_and_is_wrong(
    told: list[tuple[str, arithmetic.Told]],
) -> None:
    found = {(o.change.value, o.first.value, o.last.value) for _, o in told if flagged(o)}
    assert found == set(WRONG)
    assert len(told) >= 200


def test_the_claim_of_the_page_that_does_not_compute_is_flagged() -> None:
    [one] = [o for o in arithmetic.told(PAGE.read_text(encoding="utf-8")) if flagged(o)]
    assert (one.change.value, one.first.value, one.last.value) == (63.5, 19.5, 31.5)
    assert arithmetic.expected(one).exact == pytest.approx(61.5, abs=0.05)


def test_true_claims_with_a_digit_changed_at_random_are_found(
    told: list[tuple[str, arithmetic.Told]],
) -> None:
    chance = random.Random(1)
    changes = found = false = 0
    for text, one in told:
        way = arithmetic.reading(one)
        if way is None or one.approximate or arithmetic.of_other_end(one, way):
            continue
        around = text[max(0, one.start - 200) : one.end + 100]
        at = one.start - max(0, one.start - 200)
        numbers = _three(around, at, one)
        for _ in range(80 if len(numbers) == 3 else 0):
            changed = _changed(around, chance.choice(numbers), chance)
            now = list(arithmetic.told(changed))
            is_found = any(not _computes(other) for other in now)
            changes += 1
            found += is_found
            # What is still within what the three numbers may have been rounded from is not false.
            same = [o for o in now if o.pattern == one.pattern and abs(o.start - at) < 3]
            ways = [w for o in same for w in arithmetic.readings(o) if w.holds(o.change)]
            false += is_found or not any(other.name == way.name for other in ways)
    assert changes > 15_000
    assert found / false >= 0.98
    assert found / changes >= 0.94


def _three(text: str, at: int, one: arithmetic.Told) -> list[re.Match[str]]:
    """Where the two ends and the change stand."""
    spots = list(DIGITS.finditer(text, at, at + len(one.text)))
    scales = (1, 1e3, 1e6, 1e9, 60, 3600, 86400, 1e-3, 1e-6)
    found = []
    for end in (one.first, one.last, one.change):
        found += [
            spot
            for spot in spots
            if any(
                float(spot[0].replace(",", "")) * scale == pytest.approx(end.value)
                for scale in scales
            )
        ][:1]
    return found


def _changed(text: str, number: re.Match[str], chance: random.Random) -> str:
    """The text with another digit for one of the first two of a number."""
    digits = number[0]
    places = [at for at, sign in enumerate(digits) if sign.isdigit()]
    while len(places) > 1 and digits[places[0]] == "0":
        places.pop(0)
    at = chance.choice(places[:2])
    other = chance.choice([sign for sign in "123456789" if sign != digits[at]])
    return text[: number.start()] + digits[:at] + other + digits[at + 1 :] + text[number.end() :]


def _computes(one: arithmetic.Told) -> bool:
    way = arithmetic.reading(one)
    return way is not None and not arithmetic.of_other_end(one, way)
