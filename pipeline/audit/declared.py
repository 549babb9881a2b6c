"""What the rules declare, which is all that the audit takes from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

from pipeline.rules import Rules, load_rules


class Declared:
    """How names are spelt, and whether more of a metric is better; read once it is asked for."""

    def __init__(self, load: Callable[[], Rules] = load_rules) -> None:
        self._load = load

    @cached_property
    def rules(self) -> Rules:
        """The rules themselves."""
        return self._load()

    @cached_property
    def spellings(self) -> Mapping[str, tuple[str, ...]]:
        """By rule, every spelling of its name."""
        return {
            entry.path: (entry.key, *(str(name) for name in entry["names"] or ()))
            for entry in self.rules
        }

    @cached_property
    def _better(self) -> Mapping[str, str]:
        ways: dict[str, str] = {}
        for entry in self.rules.entries.get("metrics", ()):
            if entry["better"] in ("up", "down"):
                for name in (entry.key, *(entry["names"] or ())):
                    ways[str(name).casefold()] = entry["better"]
        return ways

    def better(self, metric: str | None) -> str | None:
        """Whether more (`up`) or less (`down`) of a metric is better, if that is declared."""
        words = (metric or "").casefold().split()
        for length in range(len(words), 0, -1):
            for first in range(len(words) - length + 1):
                if way := self._better.get(" ".join(words[first : first + length])):
                    return way
        return None


OURS = Declared()
"""What our own rules declare."""
