"""Figures of people and of a model from what was counted: each two, each against the others, copies, favourites."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

import numpy as np

from labelloop.agreement.comparisons import position_figures
from labelloop.agreement.figure import Figure
from labelloop.agreement.interval import Precision
from labelloop.agreement.ratings import FloatArray, IntArray
from labelloop.agreement.similarity import Scale
from labelloop.agreement.table import Extent, figure_of
from labelloop.annotators.herd import figures_of_constancy, figures_of_shared_errors
from labelloop.scoped_figures import OF_ONE, OF_TWO, Scoped
from labelloop.tallies.cells import Part, Values, patterns_of_cells, values_of
from labelloop.tallies.tally import GROUPS, Key, Tally


class _Others:
    """What one annotator said beside the others: own value and theirs, each unit shared by the others."""

    def __init__(self) -> None:
        self.cells: dict[tuple[int, ...], FloatArray] = defaultdict(lambda: np.zeros(GROUPS))
        self.units: dict[int, int] = defaultdict(int)  # by number of others, counted once with each of them
        self.people: set[str] = set()

    def add(self, other: str, cell: tuple[int, int], n_others: int, n: IntArray) -> None:
        self.cells[cell] += n / n_others
        self.units[n_others] += int(n.sum())
        self.people.add(other)

    @property
    def extent(self) -> Extent:
        n_units = sum(n // n_others for n_others, n in self.units.items())
        return Extent(n_units, len(self.people) + 1, n_units + sum(self.units.values()))


def figures_of_people(
    tally: Tally, kind: str, project: Part, values: Values, precision: Precision
) -> Iterator[Scoped]:
    """Yield the figures of each two annotators who share a unit, and of each one against the others."""
    level = values.scale.level
    metric = OF_TWO.get(level, "krippendorff_alpha")
    for two, cells in sorted(_of_two(project, values.code).items()):
        n = round(float(sum(one.sum() for one in cells.values())))
        patterns = patterns_of_cells(cells, values.scale.n_categories, of_two=True)
        yield "pair", " ".join(two), figure_of(metric, values.scale, patterns, Extent(n, 2, 2 * n), precision)
    metric = OF_ONE.get(level, "percent_agreement")
    for who, others in sorted(_of_one(project, values.code).items()):
        yield "annotator", who, _against(others, metric, values.scale, precision)
    if kind == "pairwise":
        for who, figure in position_figures(_sides(project)):
            yield "annotator", who, figure
    if level == "nominal":
        for two, figure in figures_of_shared_errors(_errors(tally)):
            yield "pair", " ".join(two), figure
        for who, figure in figures_of_constancy(_favourites(project, values)):
            yield "annotator", who, figure


def figures_of_model(tally: Tally, kind: str, project: Part, precision: Precision) -> Iterator[Scoped]:
    """Yield the figures of a model against the people, where answers are single labels."""
    said = dict(sorted(tally.families.get(("model",), {}).items()))
    listed = kind in ("choices", "pairwise")
    as_answer = {own: json.dumps([own], ensure_ascii=False) if listed else own for _, _, own, _, _ in said}
    texts = {value for _, _, value in project.given}
    values = values_of(kind, texts | set(as_answer.values()))
    models: dict[str, _Others] = defaultdict(_Others)
    for (who, size, own, other, value), n in said.items():
        models[who].add(other, (values.code[as_answer[own]], values.code[value]), int(size), n)
    for who, others in sorted(models.items()) if values.scale.level == "nominal" else ():
        for metric in ("percent_agreement", "cohen_kappa"):
            yield "model", who, _against(others, metric, values.scale, precision)


def _against(others: _Others, metric: str, scale: Scale, precision: Precision) -> Figure:
    patterns = patterns_of_cells(others.cells, scale.n_categories, of_two=True)
    return figure_of(metric, scale, patterns, others.extent, precision)


def _of_two(project: Part, code: Mapping[str, int]) -> dict[Key, dict[tuple[int, ...], FloatArray]]:
    found: dict[Key, dict[tuple[int, ...], FloatArray]] = defaultdict(lambda: defaultdict(lambda: np.zeros(GROUPS)))
    for (_, one, other, said, answered), n in sorted(project.pairs.items()):
        found[one, other][code[said], code[answered]] += n
    return found


def _of_one(project: Part, code: Mapping[str, int]) -> dict[str, _Others]:
    found: dict[str, _Others] = defaultdict(_Others)
    for (m, one, other, said, answered), n in sorted(project.pairs.items()):
        found[one].add(other, (code[said], code[answered]), int(m) - 1, n)
        found[other].add(one, (code[answered], code[said]), int(m) - 1, n)
    return found


def _errors(tally: Tally) -> dict[tuple[str, str], tuple[float, int]]:
    found: dict[tuple[str, str], tuple[float, int]] = {}
    for (one, other, outcome), n in tally.families.get(("errors",), {}).items():
        same, both = found.get((one, other), (0.0, 0))
        found[one, other] = (same + int(n.sum()) * (outcome == "same"), both + int(n.sum()))
    return found


def _sides(project: Part) -> Counter[tuple[str, str]]:
    found = Counter[tuple[str, str]]()
    for (_, who, value), n in project.given.items():
        found[who, json.loads(value)[0]] += int(n.sum())
    return found


def _favourites(project: Part, values: Values) -> dict[str, IntArray]:
    found: dict[str, IntArray] = {}
    for (m, who, value), n in project.given.items():
        given = found.setdefault(who, np.zeros(len(values.code), dtype=np.int64))
        given[values.code[value]] += int(n.sum()) * (m != "1")
    return found
