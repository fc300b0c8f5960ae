"""Models as files, for stages that score."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tasks.clients.models import export_onnx

CLASSES = ["0", "1", "2"]


def model_of_greys() -> bytes:
    """Return a model over 64 features that says 0 of dark vectors, 1 of grey ones, 2 of bright ones."""
    features = np.repeat(np.linspace(0, 1, 60, dtype=np.float32)[:, None], 64, axis=1)
    labels = np.repeat(CLASSES, 20)
    return export_onnx(make_pipeline(StandardScaler(), LogisticRegression()).fit(features, labels), 64, {})
