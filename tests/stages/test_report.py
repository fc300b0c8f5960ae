"""The report stage on a world in memory: where its page lies and what lies beside it."""

from __future__ import annotations

from labelloop.rounds import Round
from tasks.clients.rounds import begin_round
from tasks.report import write_report
from tests.builders.digits import START
from tests.fakes.world import lease_of, make_world


def test_the_report_is_published_under_its_round_with_the_data_docs_beside_it(tmp_path):
    world = make_world(tmp_path)
    record = Round(number=3, state="open", seed=1, size=10, strategy="random", opened_at=START)
    begin_round(world.hot, world.project, record)
    judged = []

    def docs(tables, now):
        judged.extend(rules.name for rules, _ in tables)
        return {"index.html": b"docs", "static/style.css": b""}

    summary = write_report(world, lease_of(world, "report"), data_docs=docs)
    assert world.published.list("reports/") == [
        "reports/3/data-docs/index.html",
        "reports/3/data-docs/static/style.css",
        "reports/3/index.html",
    ]
    assert {"references", "labels", "predictions"} <= set(judged)
    assert b'href="data-docs/index.html"' in world.published.read("reports/3/index.html")
    assert summary.counts["data_docs"] == 2
