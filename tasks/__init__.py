"""Touching the world: one Prefect task file per stage; `clients/` holds the SDKs."""
