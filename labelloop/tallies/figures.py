"""Every figure of a question with categories, from what was counted of its answers; see `docs/agreement.md`.

The same values as `labelloop.scoped_figures` gives on the answers themselves; intervals resample random groups.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from labelloop.agreement.figure import Figure
from labelloop.agreement.interval import Precision, percentiles_of_ratio
from labelloop.agreement.ratings import IntArray
from labelloop.agreement.similarity import Scale
from labelloop.agreement.table import DEFAULTS, figure_of
from labelloop.errors import NotEstimable
from labelloop.population import METRIC
from labelloop.scoped_figures import Scoped
from labelloop.slices import LABELS, slices_shown
from labelloop.tallies.cells import (
    Part,
    Values,
    each_answer_once,
    each_unit_once,
    part_of,
    patterns_of_cells,
    values_of,
)
from labelloop.tallies.changes import changes_counted
from labelloop.tallies.people import figures_of_model, figures_of_people
from labelloop.tallies.tally import GROUPS, Key, Tally

_ALPHA: Final = "krippendorff_alpha"
_SLICES: Final = ("guidelines", "predictions", "stratum", "window")


def kind_of(tally: Tally) -> str | None:
    """The kind of answers that was counted; None where answers have to be compared whole, or are of several kinds.

    >>> kind_of(Tally()) is None
    True
    """
    kinds = [] if ("whole",) in tally.families else [kind for (kind,) in tally.families.get(("kind",), {})]
    return kinds[0] if len(kinds) == 1 else None


def tallied_figures(tally: Tally, n_audit: int, precision: Precision, *, per_person: bool) -> Iterator[Scoped]:
    """Yield (scope, who, figure) of all that was counted of a question.

    Args:
        tally: of a question whose `kind_of` is known.
        n_audit: audit units that were chosen.
        precision: of the intervals.
        per_person: also of each two annotators and of each one.
    """
    kind, project = str(kind_of(tally)), part_of(tally, "project", "")
    yield from (("project", "", figure) for figure in _of_part(kind, project, precision))
    for scope in _SLICES:
        for name in slices_shown(scope, [family[-1] for family in tally.families if family[:-1] == ("given", scope)]):
            yield from ((scope, name, figure) for figure in _of_part(kind, part_of(tally, scope, name), precision))
    try:
        values = values_of(kind, _texts(project))
    except NotEstimable:
        return
    yield from _of_labels(project, values, precision)
    yield "population", "", _of_population(tally, values, n_audit, precision)
    n_annotators = len({who for _, who, _ in project.given})
    yield from (("change", "", figure) for figure in changes_counted(tally, n_annotators, precision))
    yield from figures_of_model(tally, kind, project, precision)
    if per_person:
        yield from figures_of_people(tally, kind, project, values, precision)


def _texts(part: Part) -> set[str]:
    return {value for _, _, value in part.given}


def _of_part(kind: str, part: Part, precision: Precision) -> list[Figure]:
    try:
        values = values_of(kind, _texts(part))
    except NotEstimable as error:
        return [Figure(_ALPHA, "nominal", reason=str(error))]
    return _measured(part, values.code, values.scale, DEFAULTS[values.scale.level], precision)


def _measured(
    part: Part, code: Mapping[str, int], scale: Scale, metrics: tuple[str, ...], precision: Precision
) -> list[Figure]:
    if reason := _nothing_to_compare(part):
        return [Figure(name, scale.level, reason=reason) for name in metrics]
    answers, units = (
        patterns_of_cells({**part.cells(code, weight), **part.alone(code)}, scale.n_categories)
        for weight in (each_answer_once, each_unit_once)
    )
    extent = part.extent
    return [figure_of(name, scale, answers if name == _ALPHA else units, extent, precision) for name in metrics]


def _nothing_to_compare(part: Part) -> str | None:
    if not part.given:
        return "there are no ratings"
    if len({who for _, who, _ in part.given}) == 1:
        return "only one annotator"
    return None if part.pairs else "no unit was rated by two annotators"


def _of_labels(part: Part, values: Values, precision: Precision) -> Iterator[Scoped]:
    """Whether each answer holds a label, rated like any two categories; of the most frequent labels."""
    if values.scale.level not in ("nominal", "masi"):
        return
    sets = {text: _labels(values.names[place]) for text, place in values.code.items()}
    seen = Counter[str]()
    for (_, _, value), n in part.given.items():
        seen.update(dict.fromkeys(sets[value], int(n.sum())))
    frequent = sorted(seen, key=lambda label: (-seen[label], label))[:LABELS]
    for label in sorted(frequent):
        code = {text: int(label in labels) for text, labels in sets.items()}
        for figure in _measured(part, code, Scale("nominal", 2, ordered=False), (_ALPHA,), precision):
            yield "label", label, figure


def _labels(name: str | frozenset[str]) -> frozenset[str]:
    return name if isinstance(name, frozenset) else frozenset({name})


def _of_population(tally: Tally, values: Values, n_audit: int, precision: Precision) -> Figure:
    """Agreement of audit units, each weighing what it stands for; see `labelloop.population`."""
    drawn: dict[str, dict[Key, IntArray]] = defaultdict(dict)
    for (chance, *key), n in sorted(tally.families.get(("audit",), {}).items()):
        drawn[chance][tuple(key)] = n
    extents = [Part(pairs, part_of(tally, "audit", "").given).extent for pairs in drawn.values()]
    n_units = sum(extent.n_units for extent in extents)
    if n_units < precision.n_min:
        answered = sum(int(n.sum()) for n in tally.families.get(("audited",), {}).values())
        told = f"audit units answered: {answered} of {n_audit}"
        reason = f"not estimable: {told}, in closed batches twice: {n_units}"
        return Figure(METRIC, values.scale.level, reason=reason)
    alike, size = np.zeros(GROUPS), np.zeros(GROUPS)
    for chance, pairs in sorted(drawn.items()):
        for (m, one, other), n in sorted(pairs.items()):
            alike += n * (one == other) * each_unit_once(int(m)) / float(chance)
            size += n * each_unit_once(int(m)) / float(chance)
    there = size > 0
    low, high = percentiles_of_ratio(alike[there], size[there], precision)
    value = float(alike.sum() / size.sum())
    level, extent = values.scale.level, extents[0]
    return Figure(METRIC, level, value, low, high, n_units, extent.n_annotators, extent.n_ratings)
