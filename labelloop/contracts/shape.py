"""Columns and types: whether rows, or a table written long ago, have the shape their contract asks for.

Only the shape; single values are judged by the expectations, keys in `keys.py`.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.types as t

from labelloop.contracts.contract import Contract
from labelloop.errors import ContractError


def shaped(rules: Contract, rows: pa.Table, *, strict: bool = True) -> pa.Table:
    """Return the rows in the contract's column order and types.

    Narrower types of the same kind are widened (int32 to int64, float to double, any string layout to string);
    nothing else is converted, so a number never silently becomes a text.

    Args:
        rules: the contract.
        rows: any column order.
        strict: also refuse nulls in required columns; without it they are left for the expectations to find.

    Raises:
        ContractError: a column is missing, unknown or of another kind, or (strict) a required value is missing.

    >>> from labelloop.contracts import contract
    >>> shaped(contract("datasets"), contract("datasets").schema.empty_table()).num_rows
    0
    """
    schema = rules.schema
    odd = sorted(set(rows.column_names) ^ set(schema.names))
    if odd or len(rows.column_names) != len(schema):
        raise _refused(rules, f"the columns {odd} are missing, unknown or repeated")
    wrong = [f.name for f in schema if not _same_kind(rows.schema.field(f.name).type, f.type)]
    if wrong:
        raise _refused(rules, f"the columns {wrong} have another type")
    relaxed = pa.schema([f.with_nullable(True) for f in schema])
    try:
        cast = rows.select(schema.names).cast(relaxed)
        return cast.cast(schema) if strict else cast
    except (pa.ArrowInvalid, ValueError):
        raise _refused(rules, "a value is too large for its type, or a required value is missing") from None


def missing_columns(rules: Contract, stored: pa.Schema) -> list[pa.Field]:
    """Return the columns of the contract that a stored table is without, all of which may be null.

    Args:
        rules: the contract.
        stored: the schema of a table that an earlier version of the contract shaped, in any order of columns.

    Raises:
        ContractError: a missing column must not be null, or a stored one is unknown or of another kind; the message
            names them.

    >>> from labelloop.contracts import contract
    >>> missing_columns(contract("datasets"), contract("datasets").schema)
    []
    """
    there = set(stored.names)
    missing = [field for field in rules.schema if field.name not in there]
    _refuse_stored(rules, "lacks the required columns", [field.name for field in missing if not field.nullable])
    _refuse_stored(rules, "has the unknown columns", sorted(there - set(rules.schema.names)))
    known = [field for field in rules.schema if field.name in there]
    other = [field.name for field in known if not _same_kind(stored.field(field.name).type, field.type)]
    _refuse_stored(rules, "has another type in the columns", other)
    return missing


def _refuse_stored(rules: Contract, problem: str, columns: list[str]) -> None:
    if columns:
        raise ContractError(
            f"the stored table {rules.name!r} {problem} {columns}; version {rules.version} of its contract cannot "
            "take it over",
            remedy="run the labelloop that wrote it, or see docs/runbook.md under a stuck batch",
            table=rules.name,
            columns=columns,
        )


def _refused(rules: Contract, problem: str) -> ContractError:
    return ContractError(
        f"rows for table {rules.name!r} were refused whole: {problem}",
        remedy=f"see data_contracts/{rules.name}.yaml; nothing was written",
        table=rules.name,
    )


def _same_kind(given: pa.DataType, wanted: pa.DataType) -> bool:
    if t.is_null(given) or given == wanted:
        return True
    if t.is_list(wanted):
        return _is_list(given) and _same_kind(given.value_type, wanted.value_type)
    if t.is_dictionary(given):
        return _same_kind(given.value_type, wanted)
    return any(is_kind(given) and is_kind(wanted) for is_kind in (_is_text, _is_bytes, t.is_integer)) or _widens(
        given, wanted
    )


def _widens(given: pa.DataType, wanted: pa.DataType) -> bool:
    if t.is_floating(wanted):
        return bool(t.is_floating(given))
    return bool(t.is_timestamp(wanted) and t.is_timestamp(given) and given.tz is not None)


def _is_text(kind: pa.DataType) -> bool:
    return bool(t.is_string(kind) or t.is_large_string(kind) or t.is_string_view(kind))


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(t.is_binary(kind) or t.is_large_binary(kind) or t.is_binary_view(kind))


def _is_list(kind: pa.DataType) -> bool:
    return bool(t.is_list(kind) or t.is_large_list(kind) or t.is_fixed_size_list(kind) or t.is_list_view(kind))
