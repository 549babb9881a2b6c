"""Where tables are kept: a folder, or any address that fsspec knows (`s3://bucket/tables`).

A place holds files by name. What is written there is whole or not there at all, and a file's name
says its content, so that nobody ever sees half of one. Which snapshot is published is one more
file: in a folder a link that is turned, elsewhere an object written last.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import threading
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, cast

import filelock

from pipeline.records import PipelineError

CURRENT = "current"
MANIFEST = "manifest.json"
SNAPSHOTS = "snapshots"
WORK = ".work"
# What of a killed run's work the next one can use.
KEPT_WORK = ("done", "shards")

# How long an object store's lock lives without a sign of its run, and how often there is one.
LEASE_SECONDS = 600.0
RENEWED_EVERY = 60.0


# A table, the name of a part in it, and the name of the part's file in the place.
Linked = tuple[str, str, str]


class PlaceTakenError(PipelineError):
    """Another run is at work in the place."""


class Place(ABC):
    """Files by name; a name is a path with `/` below the place's address."""

    address: str

    @abstractmethod
    def names(self, under: str) -> list[str]:
        """The names of all files below this one, in order; none where there is nothing."""

    @abstractmethod
    def open(self, name: str) -> IO[bytes]:
        """The file, to read and to seek in. Raises FileNotFoundError."""

    @abstractmethod
    def write(self, name: str, content: bytes) -> None:
        """Put these bytes there in one step, safe against a loss of power."""

    @abstractmethod
    def take(self, path: Path, name: str) -> None:
        """Put this local file there in one step; it may be moved or copied."""

    @abstractmethod
    def remove(self, names: Iterable[str]) -> None:
        """Take these files away; those that are gone already are no matter."""

    @abstractmethod
    def current(self) -> str | None:
        """The id of the snapshot that is published, if any."""

    @abstractmethod
    def turn_to(self, snapshot: str, parts: Sequence[Linked], manifest: bytes) -> None:
        """Make a snapshot of these parts and publish it in one step."""

    @abstractmethod
    def turn_back(self, snapshot: str, tables: Sequence[str]) -> None:
        """Publish in one step a snapshot that is here already."""

    @abstractmethod
    def remove_snapshot(self, snapshot: str) -> None:
        """Take a snapshot away that is not published; files it shares with others stay."""

    @abstractmethod
    def locked(self) -> contextlib.AbstractContextManager[None]:
        """Keep every other run out. Raises PlaceTakenError where there is one."""

    @abstractmethod
    def scratch(self) -> contextlib.AbstractContextManager[Path]:
        """A local folder for files that `take` is to put here."""

    def read(self, name: str) -> bytes:
        """All bytes of a file. Raises FileNotFoundError."""
        with self.open(name) as file:
            return file.read()

    def exists(self, name: str) -> bool:
        """Whether there is a file of this name."""
        try:
            self.open(name).close()
        except FileNotFoundError:
            return False
        return True

    def snapshots(self) -> list[str]:
        """The ids of all snapshots that are whole, the oldest first."""
        ending = f"/{MANIFEST}"
        return sorted(
            name.removeprefix(f"{SNAPSHOTS}/").removesuffix(ending)
            for name in self.manifests()
            if name.endswith(ending)
        )

    def manifests(self) -> list[str]:
        """The names of the manifests of all snapshots."""
        return self.names(SNAPSHOTS)


def place_of(address: str | Path) -> Place:
    """The place at this address: a path, or a protocol and what fsspec makes of the rest."""
    text = str(address)
    if "://" not in text:
        return Folder(Path(text))
    if text.startswith("file://"):
        return Folder(Path(text.removeprefix("file://")))
    return Objects(text)


def is_remote(address: str | Path) -> bool:
    """Whether this address is no path of this machine."""
    return "://" in str(address) and not str(address).startswith("file://")


class Folder(Place):
    """A folder of this machine, or one that several machines share."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.address = str(root)

    def names(self, under: str) -> list[str]:
        """The names of all files below this one, in order."""
        found = []
        for folder, _, files in os.walk(self.root / under):
            at = Path(folder).relative_to(self.root).as_posix()
            found += [f"{at}/{name}" for name in files]
        return sorted(found)

    def manifests(self) -> list[str]:
        """The names of the manifests of all snapshots."""
        found = (self.root / SNAPSHOTS).glob(f"*/{MANIFEST}")
        return sorted(path.relative_to(self.root).as_posix() for path in found)

    def open(self, name: str) -> IO[bytes]:
        """The file, to read and to seek in."""
        return (self.root / name).open("rb")

    def exists(self, name: str) -> bool:
        """Whether there is a file of this name."""
        return (self.root / name).is_file()

    def write(self, name: str, content: bytes) -> None:
        """Put these bytes there in one step, safe against a loss of power."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        unnamed = path.with_name(f".{path.name}-{uuid.uuid4().hex[:8]}")
        with unnamed.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unnamed.replace(path)
        sync_folder(path.parent)

    def take(self, path: Path, name: str) -> None:
        """Put this file there in one step."""
        with path.open("rb") as file:
            os.fsync(file.fileno())
        target = self.root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
        sync_folder(target.parent)

    def remove(self, names: Iterable[str]) -> None:
        """Take these files away."""
        for name in names:
            (self.root / name).unlink(missing_ok=True)

    def current(self) -> str | None:
        """The id of the snapshot that is published, if any."""
        link = self.root / CURRENT
        return link.readlink().name if link.is_symlink() else None

    def turn_to(self, snapshot: str, parts: Sequence[Linked], manifest: bytes) -> None:
        """Make a snapshot, its files shared with all others that have them, and publish it."""
        made = self.root / WORK / snapshot
        shutil.rmtree(made, ignore_errors=True)
        tables = list(dict.fromkeys(table for table, _, _ in parts))
        for table in tables:
            (made / table).mkdir(parents=True)
        for table, part, name in parts:
            _share(self.root / name, made / table / part)
        with (made / MANIFEST).open("wb") as file:
            file.write(manifest)
            file.flush()
            os.fsync(file.fileno())
        for table in tables:
            sync_folder(made / table)
        sync_folder(made)
        target = self.root / SNAPSHOTS / snapshot
        target.parent.mkdir(exist_ok=True)
        made.rename(target)
        sync_folder(target.parent)
        self.turn_back(snapshot, tables)

    def turn_back(self, snapshot: str, tables: Sequence[str]) -> None:
        """Publish in one step a snapshot that is here already."""
        # First the tables' paths, which lead nowhere yet in a new folder: all appear in one step.
        for name in tables:
            if not (self.root / name).is_symlink():
                (self.root / name).symlink_to(Path(CURRENT, name))
        turned = self.root / f".{CURRENT}"
        turned.unlink(missing_ok=True)
        turned.symlink_to(Path(SNAPSHOTS, snapshot))
        sync_folder(self.root)
        turned.replace(self.root / CURRENT)
        sync_folder(self.root)

    def remove_snapshot(self, snapshot: str) -> None:
        """Take a snapshot away; what it shares with others stays theirs."""
        folder = self.root / SNAPSHOTS / snapshot
        # Without its manifest it is none any more, should this be cut short.
        (folder / MANIFEST).unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other run out, by a lock that ends with its process, however that ends."""
        self.root.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(self.root / ".lock", timeout=0)
        try:
            lock.acquire()
        except filelock.Timeout as error:
            raise PlaceTakenError(
                f"{self.address}: another run is publishing here; wait for it to end, or name "
                "another folder"
            ) from error
        work = self.root / WORK
        try:
            # The lock is ours, so this was left by a run that was killed; what it had done stays.
            for left in work.glob("*"):
                if left.name not in KEPT_WORK:
                    shutil.rmtree(left, ignore_errors=True)
            yield
        finally:
            for folder in (*(work / name for name in KEPT_WORK), work):
                with contextlib.suppress(OSError):  # there is something in it, or it is not there
                    folder.rmdir()
            lock.release()

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder on the same disk, so that a file is moved in one step."""
        (self.root / WORK).mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix="scratch-", dir=self.root / WORK))
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)


def _share(path: Path, link: Path) -> None:
    try:
        os.link(path, link)
    except OSError:  # a disk that knows no links, such as a stick or some shares
        shutil.copyfile(path, link)
        with link.open("rb") as file:
            os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """See the names in a folder safely on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Objects(Place):
    """An object store, or whatever else fsspec reaches; its settings come from its environment."""

    def __init__(self, address: str) -> None:
        # Here and not above: only who keeps tables elsewhere needs it.
        import fsspec  # noqa: PLC0415

        self.address = address.rstrip("/")
        try:
            self._files: Any
            self._files, root = fsspec.core.url_to_fs(self.address, use_listings_cache=False)
        except (ImportError, ValueError) as error:
            raise PipelineError(
                f"{address}: {error}; pip install 'paperclaims[s3]' for s3://, or what fsspec asks "
                "for"
            ) from error
        self._root = str(root).rstrip("/")

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def names(self, under: str) -> list[str]:
        """The names of all files below this one, in order."""
        self._files.invalidate_cache()
        try:
            found = self._files.find(self._path(under))
        except FileNotFoundError:
            return []
        return sorted(str(name).removeprefix(f"{self._root}/") for name in found)

    def open(self, name: str) -> IO[bytes]:
        """The file, to read and to seek in."""
        return cast("IO[bytes]", self._files.open(self._path(name), "rb"))

    def read(self, name: str) -> bytes:
        """All bytes of a file."""
        return bytes(self._files.cat_file(self._path(name)))

    def exists(self, name: str) -> bool:
        """Whether there is an object of this name."""
        return bool(self._files.isfile(self._path(name)))

    def write(self, name: str, content: bytes) -> None:
        """Put these bytes there in one step: an object is seen whole or not at all."""
        self._prepare(name)
        self._files.pipe_file(self._path(name), content)

    def take(self, path: Path, name: str) -> None:
        """Put a copy of this file there in one step."""
        self._prepare(name)
        self._files.put_file(str(path), self._path(name))
        path.unlink()

    def _prepare(self, name: str) -> None:
        if "memory" in self._files.protocol:
            self._files.makedirs(self._path(name).rpartition("/")[0], exist_ok=True)

    def remove(self, names: Iterable[str]) -> None:
        """Take these objects away."""
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                self._files.rm_file(self._path(name))

    def current(self) -> str | None:
        """The id of the snapshot that the pointer names, if there is one."""
        try:
            return str(json.loads(self.read(f"{CURRENT}.json"))["snapshot"])
        except FileNotFoundError:
            return None

    def turn_to(self, snapshot: str, parts: Sequence[Linked], manifest: bytes) -> None:
        """Write the manifest, which names the shared parts, then the pointer."""
        self.write(f"{SNAPSHOTS}/{snapshot}/{MANIFEST}", manifest)
        self.turn_back(snapshot, sorted({table for table, _, _ in parts}))

    def turn_back(self, snapshot: str, tables: Sequence[str]) -> None:
        """Write the pointer, one object."""
        pointer = {"snapshot": snapshot, "manifest": f"{SNAPSHOTS}/{snapshot}/{MANIFEST}"}
        pointer["tables"] = " ".join(tables)
        self.write(f"{CURRENT}.json", json.dumps(pointer, indent=1).encode())

    def remove_snapshot(self, snapshot: str) -> None:
        """Take a snapshot's manifest away."""
        self.remove([f"{SNAPSHOTS}/{snapshot}/{MANIFEST}"])

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other run out, by an object that must be renewed to stay."""
        owner = uuid.uuid4().hex
        self._acquire(owner)
        ended = threading.Event()

        def renew() -> None:
            while not ended.wait(RENEWED_EVERY):
                self.write(".lock", _lease(owner))

        renewing = threading.Thread(target=renew, daemon=True)
        renewing.start()
        try:
            yield
        finally:
            ended.set()
            renewing.join()
            self.remove([".lock"])

    def _acquire(self, owner: str) -> None:
        self._prepare(".lock")
        for _ in range(2):
            try:
                self._files.pipe_file(self._path(".lock"), _lease(owner), mode="create")
            except FileExistsError:
                lease = json.loads(self.read(".lock"))
                if lease["until"] > time.time():
                    raise PlaceTakenError(
                        f"{self.address}: another run is publishing here; wait for it to end (the "
                        f"lock of a killed run ends by itself within {LEASE_SECONDS / 60:.0f} "
                        "minutes), or name another address"
                    ) from None
                self.remove([".lock"])
            else:
                return
        raise PlaceTakenError(f"{self.address}: another run has just begun here; wait for it")

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder of this machine; what is taken from it is copied."""
        with tempfile.TemporaryDirectory(prefix="paperclaims-") as made:
            yield Path(made)


def _lease(owner: str) -> bytes:
    return json.dumps({"owner": owner, "until": time.time() + LEASE_SECONDS}).encode()
