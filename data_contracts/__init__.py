"""The shape and quality rules of every table that crosses a stage; YAML only, no code that does work."""
