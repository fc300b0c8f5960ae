"""Decisions: pure functions from tables to tables.

Nothing here touches the network, the clock or the environment; `tasks/` does that and calls in.
"""
