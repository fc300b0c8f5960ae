"""Clients of the outside: settings, S3, lake, hot state, Label Studio, models. The only place for SDKs."""

import os

# Read once, when onnxruntime is imported. It would tell its makers names and digests of models by default.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
