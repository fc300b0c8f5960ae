"""The stage `erasure`: from a request to a signed receipt, and everything that keeps the erased away.

`carry_out.py` is the order; a file each for what is frozen, looked at, emptied, certified, replayed and audited.
"""
