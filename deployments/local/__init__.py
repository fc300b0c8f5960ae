"""The local stack: object store, Label Studio and Prefect as real servers on loopback.

Only for one machine: laptops, tests, the demo. A shared installation brings its own servers and sets
the same variables that the stack writes into `.local/env`.
"""
