"""Papers as a Parquet table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.sources.fields import COLUMNS, EXCERPT, Fault, Record, has_abstract, is_undecodable
from pipeline.sources.streams import SourceError

_BATCH = 500


def read_parquet(file: IO[bytes]) -> Iterator[Record | Fault]:
    """The rows of a table, read a few at a time; of a damaged part its rows are one fault."""
    try:
        # Buffered reading of columns: without it a part of the table is held as a whole.
        table = pq.ParquetFile(file, buffer_size=1 << 20, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"not a Parquet file, or a damaged one: {_plain(error)}") from error
    columns: dict[str, str] = {}
    for name in table.schema_arrow.names:
        columns.setdefault(name.strip().lower(), name)
    if not has_abstract(columns):
        raise SourceError(f"no column 'abstract' or 'summary', only: {', '.join(columns)[:200]}")
    known = {name for names in COLUMNS.values() for name in names}
    wanted = {name: columns[name] for name in columns if name in known}
    before = 0
    for part in range(table.num_row_groups):
        row, end = before, before + table.metadata.row_group(part).num_rows
        try:
            for batch in table.iter_batches(
                _BATCH, row_groups=[part], columns=list(wanted.values()), use_threads=False
            ):
                cells = [batch.column(name) for name in wanted.values()]
                for place in range(batch.num_rows):
                    row += 1
                    values = dict(zip(wanted, (_value(cell[place]) for cell in cells), strict=True))
                    yield _entry(f"row {row}", values)
        except (pa.ArrowException, OSError) as error:
            where = f"row {row + 1} to {end}"
            yield Fault(where, f"damaged Parquet, these rows are lost: {_plain(error)}")
        before = end


def _entry(position: str, values: dict[str, object]) -> Record | Fault:
    texts = [value for value in values.values() if isinstance(value, str)]
    text = " | ".join(texts)[:EXCERPT]
    if any(map(is_undecodable, texts)):
        return Fault(position, "not UTF-8", text)
    return Record(position, values, text)


def _value(cell: Any) -> object:
    """What a cell holds; text that is not UTF-8 keeps its bytes apart, see `is_undecodable`."""
    try:
        value: object = cell.as_py()
    except UnicodeDecodeError:
        value = cell.as_buffer().to_pybytes()
    except (ValueError, OverflowError):  # a time no calendar has
        return None
    # Some programs write text without saying that it is text.
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


def _plain(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
