"""From the references of a batch to its units, of the kind that the spec asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from labelloop.sampling.likeness import likenesses
from labelloop.spec.sampling import NearDuplicates, Unit
from labelloop.unit_builders.groups import near_duplicate_groups
from labelloop.unit_builders.lists import anchors, ranking_lists
from labelloop.unit_builders.pairs import comparison_pairs

# Which strata are put together, under the purpose of their units: audit references are asked about apart from all
# others, which are trained on.
_PARTS: Final = {"label": ("exploit", "explore"), "audit": ("audit",)}


class Built(NamedTuple):
    """One row for each unit, as `compose_batch` gives them for references but for `ref_id`, and its `members`."""

    rows: pa.Table
    members: list[list[str]]


def references_for(unit: Unit, size: int) -> int:
    """How many references a batch of so many units is made of.

    >>> references_for(Unit(kind="pair", comparisons=3), 30), references_for(Unit(kind="list", size=5, shared=1), 10)
    (20, 41)
    """
    if size and unit.kind == "pair":
        return max(2, round(2 * size / unit.comparisons))
    if size and unit.kind == "list":
        return size * (unit.size - unit.shared) + unit.shared
    return size


def build_units(
    chosen: pa.Table,
    unit: Unit,
    *,
    pool: pa.Table,
    asked: pa.Table,
    earlier: Mapping[str, Sequence[Sequence[str]]],
    near: NearDuplicates,
    seed: int,
) -> Built:
    """The units of a batch.

    single: each reference. group: each with its near-duplicates on the same side of the audit. pair: comparisons
    close in score that connect all references with each other and with those compared before. list: alike in score,
    overlapping, linked to earlier lists. Pairs and lists keep audit references apart and have no inclusion
    probability: how they are put together is no draw; their score is the highest of their members. A lone reference
    waits for others.

    Args:
        chosen: as `compose_batch` gives it.
        unit: kind and size.
        pool: `ref_id, standing, audited` of what was chosen from, and the columns by which references are alike.
        asked: `ref_id, standing` of references asked about before.
        earlier: members of each unit of this kind asked before, by purpose.
        near: when references are near-duplicates.
        seed: of ties and orders.
    """
    if unit.kind == "single":
        return Built(chosen.drop_columns(["ref_id"]), [[ref] for ref in chosen["ref_id"].to_pylist()])
    if unit.kind == "group":
        return _grouped(chosen, unit, pool, near)
    standing = _standing(pool, asked)
    rng = np.random.default_rng(seed)
    rows, members = [chosen.drop_columns(["ref_id"]).slice(0, 0)], []
    for purpose, strata in _PARTS.items():
        part = chosen.filter(pc.is_in(chosen["stratum"], value_set=pa.array(strata)))
        for refs in _made(part["ref_id"].to_pylist(), unit, standing, earlier.get(purpose, ()), rng):
            rows.append(_row(part, refs, standing))
            members.append(refs)
    whole = pa.concat_tables(rows)
    return Built(whole.set_column(0, "rank", pa.array(np.arange(len(members)))), members)


def _grouped(chosen: pa.Table, unit: Unit, pool: pa.Table, near: NearDuplicates) -> Built:
    place = dict(zip(pool["ref_id"].to_pylist(), range(len(pool)), strict=True))
    ids, audited = list(place), pool["audited"].to_numpy()
    rows, ways = chosen.select(["ref_id", "stratum"]).to_pylist(), likenesses(pool, near)
    groups: dict[int, list[str]] = {}
    for side in (False, True):
        # what is asked again is not in the pool, and stands alone
        leaders = [place[r["ref_id"]] for r in rows if r["ref_id"] in place and (r["stratum"] == "audit") == side]
        for group in near_duplicate_groups(leaders, ways, audited == side, size=unit.size):
            groups[int(group[0])] = [ids[row] for row in group]
    members = [groups.get(place.get(row["ref_id"], -1), [row["ref_id"]]) for row in rows]
    reasons = [
        f"{reason}; with {len(refs) - 1} near-duplicates" if len(refs) > 1 else reason
        for reason, refs in zip(chosen["reason"].to_pylist(), members, strict=True)
    ]
    units = chosen.drop_columns(["ref_id"])
    column = units.schema.get_field_index("reason")
    return Built(units.set_column(column, "reason", pa.array(reasons, pa.string())), members)


def _standing(pool: pa.Table, asked: pa.Table) -> dict[str, float]:
    """Where each reference stands on the scale that is compared; NaN where no model has told."""
    tables = [table.select(["ref_id", "standing"]) for table in (pool, asked)]
    both = pa.concat_tables(tables, promote_options="permissive")
    places = both["standing"].cast(pa.float64()).fill_null(np.nan).to_pylist()
    return dict(zip(both["ref_id"].to_pylist(), places, strict=True))


def _made(
    fresh: list[str],
    unit: Unit,
    standing: dict[str, float],
    earlier: Sequence[Sequence[str]],
    rng: np.random.Generator,
) -> list[list[str]]:
    """Members of the pairs or lists of these references and those asked about before."""
    known = sorted({ref for refs in earlier for ref in refs if ref in standing} - set(fresh))
    if unit.kind == "list" and known:
        known = [known[row] for row in anchors(np.array([standing[ref] for ref in known]), unit.shared)]
    items = [*fresh, *known]
    if not fresh or len(items) < 2:
        return []
    scores = np.array([standing.get(ref, np.nan) for ref in items])
    if unit.kind == "list":
        made = ranking_lists(scores, size=unit.size, shared=unit.shared, rng=rng)
    else:
        place = {ref: row for row, ref in enumerate(items)}
        old = [[place[a], place[b]] for a, b in earlier if a in place and b in place]
        is_fresh = np.arange(len(items)) < len(fresh)
        compared = np.array(old, dtype=np.intp).reshape(-1, 2)
        made = list(comparison_pairs(scores, per_item=unit.comparisons, fresh=is_fresh, compared=compared, rng=rng))
    return [[items[row] for row in rows] for rows in made]


def _row(part: pa.Table, refs: list[str], standing: dict[str, float]) -> pa.Table:
    """The row of `batches` for one pair or list: its best-ranked member speaks for it."""
    own = part.filter(pc.is_in(part["ref_id"], value_set=pa.array(refs)))
    best = (own if len(own) else part).drop_columns(["ref_id"]).slice(0, 1).to_pylist()[0]
    places = np.array([standing.get(ref, np.nan) for ref in refs])
    apart = "" if np.isnan(places).any() else f", {places.max() - places.min():.3g} apart"
    why = best["reason"] if len(own) else "links what was compared before"
    changes = {
        "acquisition_score": pc.max(own["acquisition_score"]).as_py(),
        "inclusion_probability": None,
        "reason": f"{len(refs)} compared{apart}; {why}",
    }
    return pa.Table.from_pylist([best | changes], schema=part.drop_columns(["ref_id"]).schema)
