"""Figures for Prometheus. The only code that imports prometheus_client."""
