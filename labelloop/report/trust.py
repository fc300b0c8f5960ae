"""Trust: what was refused and why, what was erased with proof, and the judgement on the tables."""

from __future__ import annotations

from collections import Counter

from labelloop.report.charts import bars
from labelloop.report.section import Chart, Grid, Section, Source


def quarantine_section(source: Source) -> Section:
    """Return the refused rows by stage, table and rule."""
    rows = source.tables["quarantine"]
    columns = (rows[name].to_pylist() for name in ("stage", "contract", "rule", "column"))
    counts = Counter(zip(*columns, strict=True))
    link = (source.data_docs, "Data Docs: what every table was judged by") if source.data_docs else None
    if not counts:
        return Section("quarantine", "Refused rows", "No row was refused.", link=link)
    lead = f"{rows.num_rows:,} row(s) refused. Each is kept sealed for 30 days with its reason; none is lost unseen."
    by_rule: Counter[str] = Counter(rows["rule"].to_pylist())
    drawn = [{"rule": rule, "rows": n} for rule, n in by_rule.most_common()]
    cells = [
        (*key[:3], key[3] or "", n) for key, n in sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    ]
    return Section(
        "quarantine",
        "Refused rows",
        lead,
        (Chart(bars(drawn, category="rule", count="rows"), "Refused rows by the rule they broke."),),
        (Grid("Refused rows", ("stage", "table", "rule", "column", "rows"), cells),),
        link,
    )


def erasure_section(source: Source) -> Section:
    """Return how many erasures were proven by a receipt, over all projects of the lake."""
    receipts = source.tables["receipts"].sort_by("issued_at").to_pylist()
    if not receipts:
        return Section("erasure", "Erasure", "No erasure was carried out yet.")
    lead = f"{len(receipts)} erasure(s) carried out with a signed receipt, over all projects of this lake."
    cells = [(row["receipt_id"], row["request_id"], f"{row['issued_at']:%Y-%m-%d %H:%M} UTC") for row in receipts]
    return Section("erasure", "Erasure", lead, (), (Grid("Receipts", ("receipt", "request", "issued"), cells),))
