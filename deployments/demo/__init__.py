"""The demo: the whole loop on real images in the local stack, with simulated annotators."""
