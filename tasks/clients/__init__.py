"""Clients of the outside: settings, S3, lake, hot state, Label Studio, models. The only place for SDKs."""
