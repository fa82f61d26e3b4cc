"""A deterministic simulation: the real verbs, store, hub and wires in a world that one seed makes.

Only time, sockets, threads and the broker are simulated. `python -m tests.simulation --seed N --trace` replays a
schedule; docs/explanation/testing.md tells what is checked.
"""
