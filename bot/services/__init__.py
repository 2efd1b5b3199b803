"""The use cases: one function each, run inside one unit of work."""
