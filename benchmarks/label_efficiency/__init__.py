"""How many labels each strategy needs, ours and the peers' on the same data, splits and classifier."""
