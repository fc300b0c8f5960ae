"""Erasure as a decision: requests, what they reach, what stays suppressed, and the signed receipt."""
