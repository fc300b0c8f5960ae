"""The project most tests are about: its spec, and the moment at which its clock stands."""

from __future__ import annotations

from datetime import UTC, datetime

START = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
SPEC = """
name: digits
title: Handwritten digits
media: {bucket: media, prefix: digits/, include: ["*.png"], subject_id: {key: "digits/(?P<subject>[^/]+)/"}}
interface:
  questions:
    - {name: digit, type: choices, prompt: "Which digit is it?", labels: [{value: "0"}, {value: "1"}, {value: "2"}]}
guidelines: {text: Choose the digit the writer meant.}
sampling: {strategy: random, batch_size: 10, audit_rate: 0.2, explore_share: 0.1, max_open_tasks: 100, seed: 7}
overlap: {share: 0.2, uncertain_share: 0, annotators: 2, maximum: 4, extra_share: 4}
annotators: {count: 4}
model: {source: trainer, features: {width: 8, height: 8}}
export: {validation_share: 0.0, test_share: 0.0}
erasure: {purge: now}
"""
