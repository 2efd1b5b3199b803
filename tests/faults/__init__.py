"""Nothing lost, nothing twice: a random workload, faults of every kind, and an oracle that compares."""
