"""DuckDB with a limit of memory, whose errors and interrupts are ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from mmoe.errors import WikidataError, one_line

INTERRUPTED = "Query interrupted"


@contextmanager
def database(
    problem: Callable[[str], str], spill: Path, memory: str
) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database in memory.

    Args:
        problem: makes the message of an error of what DuckDB says.
        spill: the folder for what does not fit into memory.
        memory: what it may take: "1GB".
    Raises:
        WikidataError: if DuckDB fails in the block, as for lack of room on the disk.
        KeyboardInterrupt: if it is interrupted, for which DuckDB has errors of its own.
    """
    try:
        with duckdb.connect() as connection:
            connection.execute("SET enable_progress_bar = false")  # it would go to standard output
            connection.execute(f"SET memory_limit = '{memory}'")
            connection.execute("SET temp_directory = $spill", {"spill": str(spill)})
            yield connection
    except duckdb.InterruptException:
        raise KeyboardInterrupt from None
    except duckdb.Error as error:
        raise WikidataError(problem(one_line(error))) from None
    except RuntimeError as error:
        if str(error) != INTERRUPTED:
            raise
        raise KeyboardInterrupt from None
