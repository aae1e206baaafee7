"""A file of data, whatever its format: what it begins with says what it is."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

from backpass.language.errors import BackpassError, ShapeError
from backpass.nn.files import reason
from backpass.nn.tables.archive import NPY, ZIP, inputs_and_target, read_npy, read_npz
from backpass.nn.tables.delimited import read_delimited
from backpass.nn.tables.idx import is_idx, read_idx
from backpass.nn.tables.table import Column, Table, from_array

GZIP = b"\x1f\x8b"
NAMELESS = "prediction"  # what a target without a name is called
KINDS = "CSV, NPY, NPZ or IDX"
OTHERS = {  # by what they begin with
    b"PAR1": "Parquet",
    b"\x89HDF": "HDF5",
    b"MATLAB 5.0": "MATLAB",
    b"ARROW1": "Feather",
    b"%PDF": "PDF",
    b"{": "JSON",
    b"[{": "JSON",
    b"[[": "JSON",
    b"[\n": "JSON",
}
BINARY = {".npy": "NumPy", ".npz": "NumPy", "-ubyte": "IDX"}  # by how a name ends


@dataclass(frozen=True, slots=True)
class Data:
    """A table, and the target of each sample: at a place in the table, or from elsewhere."""

    table: Table
    target: Column | None
    place: int | None = None


def read_data(
    path: str | Path,
    target: str | None = None,
    labels: str | Path | None = None,
    header: bool | None = None,
) -> Data:
    """Read a table, and the target from among its columns or from a file of its own.

    A CSV or NPY file is a table: `target` is the name of a column or its number, from 1 or from -1
    backwards. In an NPZ file it is the name of an array, y unless told otherwise. `labels` is a
    second file with one target for each sample, as MNIST has. Any of them may be gzipped.

    Raises an error of the family `BackpassError` for a file that cannot be read and for a target
    that is not there.
    """
    if target is not None and labels is not None:
        raise BackpassError("the target is a column of the data, or a file of its own; not both")
    source, content = Path(path).name, _content(path)
    goal, place = (_labels(labels, header) if labels is not None else None), None
    if content.startswith(ZIP):
        arrays = read_npz(source, content)
        x, y = inputs_and_target(source, arrays, target)
        table = from_array(f"{x} of {source}", arrays[x])
        if y is not None and goal is None:
            goal = _only(from_array(f"{y} of {source}", arrays[y]), y)
    else:
        table = _table(source, content, header)
        if target is not None:
            place = table.find(target)
            goal = table.column(place)
            goal = goal if table.named else replace(goal, name=NAMELESS)
    if goal is not None and len(goal) != len(table):
        raise ShapeError(
            f"{table.source} has {len(table)} samples and there are {len(goal)} targets; give one "
            "for each"
        )
    return Data(table, goal, place)


def _labels(path: str | Path, header: bool | None) -> Column:
    source = Path(path).name
    table = _table(source, _content(path), header)
    return _only(table, table.names[0] if table.named else NAMELESS)


def _only(table: Table, name: str) -> Column:
    if len(table.names) != 1:
        raise ShapeError(
            f"{table.source} has {len(table.names)} values for each sample; give one target each"
        )
    return replace(table.column(0), name=name, said=f"the target in {table.source}")


def _table(source: str, content: bytes, header: bool | None) -> Table:
    if content.startswith(ZIP):
        arrays = read_npz(source, content)
        if len(arrays) != 1:
            raise BackpassError(f"{source} has {len(arrays)} arrays; give a file with one of them")
        return from_array(source, next(iter(arrays.values())))
    if content.startswith(NPY):
        return from_array(source, read_npy(source, content))
    if is_idx(content):
        return from_array(source, read_idx(source, content))
    other = next((kind for start, kind in OTHERS.items() if content.startswith(start)), None)
    if other is not None:
        raise BackpassError(f"{source} is {other}; save it as CSV first")
    plain = source.lower().removesuffix(".gz")
    kind = next((kind for end, kind in BINARY.items() if plain.endswith(end)), None)
    if kind is not None:
        raise BackpassError(f"{source} is no {kind} file, whatever its name says; save it again")
    return read_delimited(source, content, header)


def _content(path: str | Path) -> bytes:
    """All of a file, unpacked."""
    path = Path(path)
    if path.is_dir():
        raise BackpassError(f"{path} is a folder; give a {KINDS} file")
    try:
        content = path.read_bytes()
        if content.startswith(GZIP):
            return gzip.decompress(content)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BackpassError(f"{path} is a damaged gzip file ({error}); fetch it again") from error
    except OSError as error:
        raise BackpassError(f"{path} cannot be read: {reason(error)}") from error
    if path.suffix.lower() == ".gz" and not content.startswith((NPY, ZIP)) and not is_idx(content):
        try:  # browsers unpack files and leave them their names
            read_delimited(path.name, content)
        except BackpassError:
            message = f"{path.name} is no gzip file, whatever its name says; fetch it again"
            raise BackpassError(message) from None
    return content
