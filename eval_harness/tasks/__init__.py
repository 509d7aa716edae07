"""Benchmarks: each a YAML file here, or one of a plug-in."""
