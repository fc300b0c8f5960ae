"""The page on tables and the data map, as Markdown; `docs/write.py` puts it into `docs/tables.md`."""

from __future__ import annotations

from collections.abc import Sequence

from labelloop.contracts.contract import Column, Contract, all_contracts
from labelloop.contracts.data_map import DataMap, data_map
from labelloop.contracts.expectations import Expectation, expectations

_HEADS = ("holds", "how it is erased", "how long it is kept")


def tables_page() -> str:
    """Return the Markdown page: one section per table, then hot state and the places outside.

    >>> tables_page().startswith("# Tables")
    True
    """
    known = data_map()
    parts = ["# Tables and data map\n\nWritten by `python -m docs.write` from `data_contracts/`; do not edit.\n"]
    parts += [_section(rules, known) for rules in all_contracts()]
    parts += [_places("Hot state", ("kind", *_HEADS), [(n, e.holds, e.erased, e.kept) for n, e in known.hot.items()])]
    outside = [(f"{n} ({e.place})", e.holds, e.erased, e.kept) for n, e in known.outside.items()]
    parts += [_places("Outside the lake", ("place", *_HEADS), outside)]
    return "\n".join(parts)


def _section(rules: Contract, known: DataMap) -> str:
    entry, rule_names = known.tables[rules.name], _rule_names(rules)
    heads = ("column", "type", "rules", "holds", "meaning")
    rows = [
        (_name(c, rules), str(c.arrow_type), rule_names[c.name], entry.columns[c.name], c.description)
        for c in rules.columns
    ]
    where = "one for the lake" if rules.scope == "lake" else "one per project"
    intro = f"{rules.description} Version {rules.version}, {where}. Erased: {entry.erased}. Kept: {entry.kept}.\n"
    return _places(f"`{rules.name}`", heads, rows, intro)


def _name(column: Column, rules: Contract) -> str:
    return f"**{column.name}**" if column.name in rules.primary_key else column.name


def _rule_names(rules: Contract) -> dict[str, str]:
    named: dict[str, list[str]] = {c.name: [] for c in rules.columns}
    for rule in expectations(rules):
        named[rule.column].append(f"{rule.rule} {_limits(rule)}".strip())
    for key in rules.foreign_keys:
        named[key.column].append(f"in `{key.table}.{key.key}`")
    return {name: "; ".join(found) for name, found in named.items()}


def _limits(rule: Expectation) -> str:
    given = dict(rule.arguments)
    if rule.rule == "range":
        return " to ".join("any" if value is None else str(value) for value in given.values())
    values = given.get("value_set", list(given.values()))
    return ", ".join(f"`{value}`" for value in values)


def _places(title: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]], intro: str = "") -> str:
    lines = [f"## {title}\n", *([intro] if intro else []), _line(heads), _line(("---",) * len(heads))]
    return "\n".join([*lines, *map(_line, rows), ""])


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
