"""Sampling: which references of a pool are worth an annotator's time, with the reason for each.

One file for each strategy, one table of them, one way to choose (`select`), one to fill a round (`compose_batch`).
Scores of single rows are in `labelloop.acquisition`.
"""

from labelloop.sampling.audit import in_audit, permanent_numbers
from labelloop.sampling.backpressure import Backpressure, backpressure, throughput
from labelloop.sampling.batch import compose_batch
from labelloop.sampling.cost import expected_hours
from labelloop.sampling.draws import Again, audited
from labelloop.sampling.evidence import Gain, Labelled, exploit_gain
from labelloop.sampling.likeness import perceptual_hash
from labelloop.sampling.limits import Limits
from labelloop.sampling.pool import refused_rows
from labelloop.sampling.queue_order import queue_scores
from labelloop.sampling.selection import possible, select
from labelloop.sampling.shards import Choice, guarantee, select_from_shards, shortlist
from labelloop.sampling.table import STRATEGIES, Strategy

__all__ = [
    "STRATEGIES",
    "Again",
    "Backpressure",
    "Choice",
    "Gain",
    "Labelled",
    "Limits",
    "Strategy",
    "audited",
    "backpressure",
    "compose_batch",
    "expected_hours",
    "exploit_gain",
    "guarantee",
    "in_audit",
    "perceptual_hash",
    "permanent_numbers",
    "possible",
    "queue_scores",
    "refused_rows",
    "select",
    "select_from_shards",
    "shortlist",
    "throughput",
]
