"""How often a service may be asked: one rhythm for all processes that share a landing area."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

import filelock

from pipeline.places import Folder


class NotNowError(Exception):
    """No turn for longer than anybody waits: `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Limiter:
    """Gives turns at a service, one at a time, `interval` seconds from one to the next.

    The time of the next turn stands in a file, so that it holds for other processes and after this
    one has ended. A turn ends with its process, however that ends.
    """

    def __init__(self, folder: Path, name: str, interval: float) -> None:
        self._folder = Folder(folder)
        self._name = f"{name}.json"
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = filelock.FileLock(folder / f"{name}.lock", timeout=-1)
        self._interval = interval

    @contextlib.contextmanager
    def turn(self, longest_wait: float) -> Iterator[None]:
        """Wait for a turn; NotNowError if that would take longer than `longest_wait` seconds."""
        with self._lock:
            if (wait := self._wait()) > max(longest_wait, self._interval):
                raise NotNowError(wait)
            time.sleep(wait)
            self._set(self._interval)
            yield

    def hold_off(self, seconds: float) -> None:
        """Give no turn for so long; the service has asked for it."""
        with self._lock:
            self._set(max(seconds, self._wait()))

    def _wait(self) -> float:
        try:
            told = json.loads(self._folder.read(self._name))
            since, until = float(told["since"]), float(told["until"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return 0.0
        # A clock that was set back must not make us wait for it to come round again.
        return max(0.0, until - max(since, time.time()))

    def _set(self, seconds: float) -> None:
        now = time.time()
        self._folder.write(self._name, json.dumps({"since": now, "until": now + seconds}).encode())
