"""Measures what volunteers and clients feel, each as a ratio to a named baseline of the same run.

``python -m tests.benchmarks [part …]`` prints one table. Nothing here asserts a time: machines differ.
"""
