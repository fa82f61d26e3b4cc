"""Wires: pure renderers from Event to text, one module for each format."""
