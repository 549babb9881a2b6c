"""Numbers are read as machine-learning papers write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.numbers import joined, scan


def described(text: str) -> list[str]:
    """The quantities of a text, one short line each."""
    out = []
    for q in joined(scan(text), text):
        value = f"{q.value:g}" if q.value is not None else f"{q.low:g}..{q.high:g}"
        out.append(f"{text[q.start : q.end]}={q.sign}{value} {q.shape}{q.bound}")
    return out


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from 36.2% to 40.7%", ["36.2% to 40.7%=36.2..40.7 change"]),
        ("ranging from 50% to 70%", ["50% to 70%=50..70 percent"]),
        ("between 66% and 77%", ["66% and 77%=66..77 percent"]),
        ("11.2% to 39.4%", ["11.2% to 39.4%=11.2..39.4 percent"]),
        ("40-65% better", ["40-65%=40..65 percent"]),
        ("by 75% 89%", ["75% 89%=75..89 percent"]),
        ("by 3.3 6.1 points", ["3.3 6.1 points=3.3..6.1 points"]),
        ("of 5 80% are", ["5=5 number", "80%=80 percent"]),
        ("Between 66% and 77%", ["66% and 77%=66..77 percent"]),
        ("factors are 2.5", ["2.5=2.5 factor"]),
        ("knowledge triple, tripled", ["tripled=3 factor"]),
        ("3x to 6x more", ["3x to 6x=3..6 factor"]),
        ("(+8.81 on C-Eval)", ["+8.81=+8.81 number"]),
        ("80times speedup", ["80times=80 factor"]),
        ("a 7-fold rise", ["7-fold=7 factor"]),
        ("a factor of up to 5", ["5=5 factor"]),
        ("an order of magnitude", ["an order of magnitude=10 factor"]),
        ("three orders of magnitude", ["three orders of magnitude=1000 factor"]),
        ("twice, by half", ["twice=2 factor", "half=0.5 factor"]),
        ("<4.3% and ~45%", ["4.3%=4.3 percent<", "45%=45 percent~"]),
        ("36.5 points", ["36.5 points=36.5 points"]),
        ("21.51%p", ["21.51%p=21.51 points"]),
        ("14% absolute points", ["14% absolute points=14 points"]),
        ("1.3 BLEU points", ["1.3 BLEU points=1.3 points"]),
        ("80 per cent", ["80 per cent=80 percent"]),
        ("1,319 questions", ["1,319=1319 number"]),
        ("1.7B", ["1.7B=1.7 number"]),
        ("LLaMA-2-7B", ["2=2 number", "7B=7 number"]),
        ("GPT-3.5", ["3.5=3.5 number"]),
        ("in 7 ms", ["7 ms=7 unit"]),
        ("at 30 frames per second", ["30 frames per second=30 unit"]),
        ("from 3.0 m to 0.3 m", ["3.0 m to 0.3 m=3..0.3 change"]),
        ("75.2 \xb1 0.3%", ["75.2 \xb1 0.3%=75.2 percent"]),
        ("75.2 +/- 0.3%", ["75.2 +/- 0.3%=75.2 percent"]),
        ("(1%downarrow)", ["1%=-1 percent"]),
        ("(\u21910.46%)", ["\u21910.46%=+0.46 percent"]),
        ("gains of + 6.3 on", ["+ 6.3=+6.3 number"]),
        ("by 14.4/11.4/4.5%", ["14.4=14.4 percent", "11.4=11.4 percent", "4.5%=4.5 percent"]),
        ("3/4 of", ["3=3 number", "4=4 number"]),
        ("by 14 and 8 points", ["14=14 points", "8 points=8 points"]),
        ("in March 2025, 30.19%", ["2025=2025 number", "30.19%=30.19 percent"]),
        ("by 1.4 ACC and ARI points", ["1.4 ACC and ARI points=1.4 points"]),
        ("up to 2.5 speedup", ["2.5=2.5 factor"]),
        ("drop (95.1% to 94.9%)", ["95.1% to 94.9%=95.1..94.9 change"]),
        ("from 48% to just 3%", ["48% to just 3%=48..3 change"]),
        ("from 7 to 40 times faster", ["7 to 40 times=7..40 factor"]),
        ("(0.205 -> 0.363)", ["0.205 -> 0.363=0.205..0.363 change"]),
        ("from 62.3% rightarrow 67.0%", ["62.3% rightarrow 67.0%=62.3..67 change"]),
        ("from 69.9%to 75.9%", ["69.9%to 75.9%=69.9..75.9 change"]),
        ("mAP at 0.5 and 6.7 points", ["0.5=0.5 number", "6.7 points=6.7 points"]),
        ("in 38 msec", ["38 msec=38 unit"]),
        ("a correlation of .73", [".73=0.73 number"]),
        ("(+0.18-2.61 BLEU)", ["+0.18-2.61=+0.18..2.61 number"]),
        ("no number", []),
    ],
)
def test_a_number_is_read_with_its_sign_unit_and_range(text: str, expected: list[str]) -> None:
    assert described(text) == expected


@pytest.mark.parametrize(
    ("text", "absolute"), [("7B", 7e9), ("360 million", 3.6e8), ("1.4T", 1.4e12), ("32K", 32e3)]
)
def test_a_magnitude_gives_the_absolute_value(text: str, absolute: float) -> None:
    assert [q.absolute for q in scan(text)] == [absolute]


@given(st.text(st.sampled_from("0123456789.,%xBK+-~<> atoand") | st.characters(), max_size=60))
def test_every_run_of_digits_stands_in_exactly_one_number(text: str) -> None:
    holders = [0] * len(text)
    for quantity in joined(scan(text), text):
        for start, end, _ in quantity.parts:
            for i in range(start, end):
                holders[i] += 1
    assert all(holders[i] == 1 for i, c in enumerate(text) if c.isdecimal())
    assert max(holders, default=0) <= 1


def test_a_megabyte_of_digits_is_one_number_without_a_value() -> None:
    (quantity,) = scan("9" * 1_000_000)
    assert quantity.value is None
