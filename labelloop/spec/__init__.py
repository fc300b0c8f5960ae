"""The labelling project spec: one YAML file per project, checked field by field."""

from __future__ import annotations

from labelloop.spec.project import ProjectSpec, json_schema, load_spec

__all__ = ["ProjectSpec", "json_schema", "load_spec"]
