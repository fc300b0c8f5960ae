"""The verbs of statistics: how far annotators agree, and one label for each unit."""

from __future__ import annotations

import json as json_text
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import pyarrow as pa
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from deployments.cli.answers_file import holds_annotations, read_question
from deployments.cli.output import Json, print_json
from deployments.cli.table_file import write_parquet
from deployments.cli.tables import read_ratings_file, read_rulings_file
from labelloop.agreement import Figure, measure, read_ratings
from labelloop.agreement.question import question_figures
from labelloop.consensus import METHODS_OF_ITEMS, Consensus, ItemConsensus, resolve
from labelloop.errors import InputError

_CONSENSUS_COLUMNS = ["unit", "label", "confidence", "n", "probabilities"]


def agreement(
    ratings: Path,
    *,
    control: str | None = None,
    metric: Annotated[tuple[str, ...] | None, Parameter(negative=())] = None,
    level: str | None = None,
    category: Annotated[tuple[str, ...] | None, Parameter(negative=())] = None,
    n_min: int = 5,
    seed: int = 0,
    json: Json = False,
) -> None:
    """Measure how far annotators agree, with intervals; exit code 1 when not one of the figures can be given.

    Args:
        ratings: CSV or Parquet file with the columns unit, annotator, value and, if there are several, control; or
            annotations.parquet of `labelloop convert`, whose answers are compared as their kind is.
        control: Only the ratings of this control.
        metric: percent_agreement, cohen_kappa, cohen_kappa_linear, cohen_kappa_quadratic, fleiss_kappa, gwet_ac1,
            gwet_ac2, conger_kappa, brennan_prediger, krippendorff_alpha, icc_2_1, icc_2_k or
            mean_absolute_difference; repeatable. Without it those usual at the level.
        level: nominal (if not said), ordinal, interval or ratio; jaccard, masi or taxonomy for values that are sets.
        category: A value that could be given, in ascending order; repeatable. Text needs it above nominal level.
        n_min: Fewest units with two ratings that a figure may rest on.
        seed: Seed of the intervals' bootstrap.
        json: Print the figures as JSON.
    """
    if holds_annotations(ratings):
        _refuse_settings(metric=metric, level=level, category=category)
        figures = question_figures(read_question(ratings, control, n_min=n_min, seed=seed))
    else:
        table = read_ratings_file(ratings, control)
        figures = measure(table, metric, level or "nominal", categories=category, n_min=n_min, seed=seed)
    if json:
        print_json([figure.to_dict() for figure in figures])
    else:
        _show(figures)
    if not any(figure.estimable for figure in figures):
        sys.exit(1)


def consensus(
    ratings: Path,
    *,
    method: str,
    out: Path,
    control: str | None = None,
    rulings: Path | None = None,
    category: Annotated[tuple[str, ...] | None, Parameter(negative=())] = None,
    items: Path | None = None,
    json: Json = False,
) -> None:
    """Write one label for each unit, with its confidence.

    Args:
        ratings: CSV or Parquet file with the columns unit, annotator, value and, if there are several, control;
            bradley-terry: also left and right, value is left, right, tie or an item; plackett-luce: value is a JSON
            list of items, best first.
        method: majority, median, gold-weighted, dawid-skene, one-coin, mace, glad, bradley-terry or plackett-luce.
        out: Parquet file to write or replace: unit, label (null where the best classes tie), confidence, n,
            probabilities of the classes that `classes` lists.
        control: Only the ratings of this control.
        rulings: CSV or Parquet file with the columns unit, value: known answers, which win and teach.
        category: A value that could be given, in ascending order; repeatable. The median of text needs it.
        items: Parquet file to write or replace: item, strength, rank, n; of bradley-terry and plackett-luce.
        json: Print the counts as JSON.
    """
    table = read_ratings_file(ratings, control)
    found = _resolved(table, method, None if rulings is None else read_rulings_file(rulings), category)
    if items is not None:
        write_parquet(_items(found, method), items)
    if isinstance(found, Consensus):
        classes = json_text.dumps([str(name) for name in found.classes])
        write_parquet(found.table.select(_CONSENSUS_COLUMNS), out, {"classes": classes})
    else:
        write_parquet(found.table.select([*_CONSENSUS_COLUMNS, "classes"]), out)
    account = _account(found)
    if json:
        print_json(account)
    else:
        Console(soft_wrap=True, highlight=False).print(_in_words(account, out), markup=False)


def _refuse_settings(**given: object) -> None:
    if named := [f"--{name}" for name, value in given.items() if value]:
        raise InputError(
            f"{' and '.join(named)} cannot be chosen for annotations", remedy="their kind decides; leave it out"
        )


def _show(figures: Sequence[Figure]) -> None:
    """Print what could be given as a table, and the reasons for the rest below it."""
    names = ("metric", "value", "95 % interval", "units", "annotators", "ratings")
    table = Table(*names, box=None, pad_edge=False)
    for figure in figures:
        if figure.value is not None:
            counts = (figure.n_units, figure.n_annotators, figure.n_ratings)
            interval = f"{figure.low:.3f} to {figure.high:.3f}"
            table.add_row(figure.metric, f"{figure.value:.3f}", interval, *map(str, counts))
    console = Console(soft_wrap=True, highlight=False)
    if table.row_count:
        console.print(f"level {figures[0].level}")
        console.print(table)
    for figure in figures:
        if not figure.estimable:
            console.print(f"{figure.metric}: {figure.reason}", markup=False)


def _resolved(
    ratings: pa.Table, method: str, rulings: pa.Table | None, category: tuple[str, ...] | None
) -> Consensus | ItemConsensus:
    if method in METHODS_OF_ITEMS:
        return METHODS_OF_ITEMS[method](ratings, rulings=rulings)
    return resolve(read_ratings(ratings, categories=category), method, rulings=rulings)


def _items(found: Consensus | ItemConsensus, method: str) -> pa.Table:
    if isinstance(found, Consensus):
        raise InputError(f"{method} compares no items", remedy=f"use one of {', '.join(METHODS_OF_ITEMS)}")
    return found.items


def _account(found: Consensus | ItemConsensus) -> dict[str, int | bool]:
    labels = found.table["label"]
    counts = {"units": len(labels), "labels": len(labels) - labels.null_count, "ties": labels.null_count}
    return {**counts, "converged": found.converged, "steps": found.steps}


def _in_words(account: dict[str, int | bool], out: Path) -> str:
    lines = [f"{account['labels']} labels for {account['units']} units in {out}"]
    if account["ties"]:
        lines.append(f"without a label, because the best classes tie: {account['ties']}")
    if not account["converged"]:
        lines.append(f"the fit had not settled after {account['steps']} steps")
    return "\n".join(lines)
