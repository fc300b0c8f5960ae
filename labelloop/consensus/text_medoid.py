"""One text per unit from those several annotators wrote: the one that is nearest to all the others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from labelloop.agreement.texts import fold, read_texts, text_distances

TIE = 1e-9  # similarities closer than this are the same


def text_medoid(table: pa.Table | pd.DataFrame, *, break_ties: bool = False) -> pa.Table:
    """One row per unit, ascending: unit, label, confidence, n.

    `label` is the text with the least mean edit distance to the texts of the other annotators, compared without case
    and white space, and written as most write it. It is null where different texts are equally near, unless
    `break_ties` takes the shorter, then the first. `confidence` is its mean similarity to the others, 1 for a text
    alone; `n` counts texts. Source: the medoid of Kaufman and Rousseeuw (1990).

    Raises:
        InputError: values that are no texts; and what `read_ratings` refuses.

    >>> table = pd.DataFrame({"unit": [1, 1, 1], "annotator": [*"abc"], "value": ["a cat", "a cut", "the cat"]})
    >>> text_medoid(table).to_pylist()
    [{'unit': 1, 'label': 'a cat', 'confidence': 0.6857142857142857, 'n': 3}]
    """
    ratings = read_texts(table, folded=False)
    texts = ratings.values.to_pylist()
    answers = np.split(ratings.value, np.cumsum(ratings.per_unit)[:-1]) if len(texts) else []
    chosen = [_medoid([texts[code] for code in codes.tolist()], break_ties=break_ties) for codes in answers]
    return pa.table(
        {
            "unit": ratings.units,
            "label": pa.array([label for label, _ in chosen], pa.string()),
            "confidence": pa.array([confidence for _, confidence in chosen], pa.float64()),
            "n": ratings.per_unit,
        }
    )


def _medoid(written: list[str], *, break_ties: bool) -> tuple[str | None, float]:
    """The most central text, None for a tie, and its mean similarity to the others."""
    folded = [fold(text) for text in written]
    if len(set(folded)) == 1:
        return _spelling(written), 1.0
    alike = (1.0 - text_distances(folded)).sum(axis=1) - 1.0
    best = [place for place in range(len(folded)) if alike[place] > alike.max() - TIE]
    names = sorted({folded[place] for place in best}, key=lambda text: (len(text), text))
    confidence = float(alike.max()) / (len(folded) - 1)
    if len(names) > 1 and not break_ties:
        return None, confidence
    return _spelling([written[place] for place in best if folded[place] == names[0]]), confidence


def _spelling(written: list[str]) -> str:
    """The spelling of one text that most use; the first of equals."""
    return min(written, key=lambda text: (-written.count(text), text))
