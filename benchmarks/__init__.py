"""Speed: how long each stage takes, on real and on synthetic references; see `docs/benchmarks.md`."""
