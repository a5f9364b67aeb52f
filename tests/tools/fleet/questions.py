"""Runs the SQL files of docs/fleet/, as a user does, and returns what they answer."""

from pathlib import Path
from typing import Any, NamedTuple

from duckdb import DuckDBPyConnection, StatementType

from tests import ROOT

SQL = ROOT / "docs" / "fleet"
QUESTIONS = ("memory", "kernels", "outliers")


class Answer(NamedTuple):
    """A table.

    Attributes:
        columns: their names.
        rows: their values.
    """

    columns: list[str]
    rows: list[tuple[Any, ...]]

    def by(self, *columns: str) -> list[Any]:
        """Return the values of these columns, row by row; of one column without tuples."""
        places = [self.columns.index(column) for column in columns]
        picked = [tuple(row[place] for place in places) for row in self.rows]
        return [row[0] for row in picked] if len(columns) == 1 else picked


def run(connection: DuckDBPyConnection, name: str) -> list[Answer]:
    """Run a file, in the directory that holds the recordings, and return what its SELECT statements answer."""
    answers = []
    for statement in connection.extract_statements(file(name).read_text()):
        result = connection.execute(statement)
        if statement.type == StatementType.SELECT:
            answers.append(Answer([column[0] for column in result.description], result.fetchall()))
    return answers


def file(name: str) -> Path:
    """Return the path of a file."""
    return SQL / f"{name}.sql"
