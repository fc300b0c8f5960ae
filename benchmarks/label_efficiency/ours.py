"""Our strategies as the loop asks them: every one of the table, and `auto`, the default."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.label_efficiency.loop import Asked, Strategy, at_random
from labelloop.sampling import STRATEGIES, select
from labelloop.vectors import lists_of

DEFAULT = "auto"


def strategies() -> Mapping[str, Strategy]:
    """Return the strategies that choose by features and probabilities alone, by name."""
    usable = [name for name, s in STRATEGIES.items() if s.needs <= {"probabilities", "embedding"}]
    return {name: _asking(name) for name in [*usable, DEFAULT]}


def _asking(name: str) -> Strategy:
    def ask(asked: Asked) -> NDArray[np.intp]:
        modelled = name != DEFAULT and "probabilities" in STRATEGIES[name].needs
        if asked.probabilities is None and modelled:
            return at_random(asked)
        return _selected(asked, name)

    return ask


def _selected(asked: Asked, name: str) -> NDArray[np.intp]:
    pool = pa.table({"ref_id": _names(np.arange(len(asked.features))), "embedding": lists_of(asked.features)})
    if asked.probabilities is not None:
        pool = pool.append_column("probabilities", lists_of(asked.probabilities))
    labelled = pool.take(pa.array(asked.labelled))
    chosen = select(pool, asked.n, name, seed=asked.seed, labelled=labelled)
    return np.array([int(name) for name in chosen["ref_id"].to_pylist()], dtype=np.intp)


def _names(rows: NDArray[np.intp]) -> pa.Array:
    return pa.array([f"{row:06d}" for row in rows])
