"""People beside the model: how often each chose each label, of the same units."""

from __future__ import annotations

from collections import Counter

import pyarrow.compute as pc

from labelloop.model_opinions import opinions_of_model
from labelloop.pool import scoring_model
from labelloop.report.charts import bars
from labelloop.report.section import Chart, Source


def beside_model(source: Source, control: str) -> list[Chart]:
    """Return accepted labels and what the model in force says of the same units; none where it says nothing."""
    # A model answers the first question.
    if control not in [question.name for question in source.spec.interface.questions[:1]]:
        return []
    model = scoring_model(source.tables["models"], source.tables["predictions"], now=source.at)
    said = opinions_of_model(source.tables["predictions"], source.tables["units"], model=model or "", control=control)
    guesses = dict(zip(said["unit"].to_pylist(), said["value"].to_pylist(), strict=True))
    labels = source.tables["labels"]
    accepted = labels.filter(pc.and_(pc.equal(labels["control"], control), pc.equal(labels["state"], "accepted")))
    both = [(row["label"], guesses[row["unit_id"]]) for row in accepted.to_pylist() if row["unit_id"] in guesses]
    if not both:
        return []
    people, guessed = Counter(label for label, _ in both), Counter(guess for _, guess in both)
    drawn = [
        {"label": label, "units": counts[label], "by": who}
        for label in sorted({*people, *guessed})
        for who, counts in (("people", people), ("model", guessed))
    ]
    what = f"{control}: labels of people, and of the model in force for the same {len(both):,} units."
    return [Chart(bars(drawn, category="label", count="units", colour="by", beside=True), what)]
