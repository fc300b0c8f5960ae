"""`listing.py BUCKET`: seconds obstore needs to list a bucket, as JSON; address and keys from the environment."""

from __future__ import annotations

import json
import os
import sys
import time

import obstore
from obstore.store import S3Store


def main() -> None:
    """List the bucket three times and print the least seconds."""
    store = S3Store(
        sys.argv[1],
        endpoint=os.environ["BENCH_S3_ENDPOINT"],
        access_key_id=os.environ["BENCH_S3_ACCESS_KEY"],
        secret_access_key=os.environ["BENCH_S3_SECRET_KEY"],
        region="us-east-1",
        client_options={"allow_http": True},
    )
    found = []
    for _ in range(3):
        wall, processor = time.perf_counter(), time.process_time()
        objects = sum(batch.num_rows for batch in obstore.list(store, chunk_size=1000, return_arrow=True))
        found.append((time.perf_counter() - wall, time.process_time() - processor))
    seconds, cpu_seconds = map(min, zip(*found, strict=True))
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu_seconds, "objects": objects}))


main()
