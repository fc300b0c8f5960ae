"""Order: each flow reads like a paragraph and calls tasks only."""
