"""Measurements; tests never time anything. README.md says how, and what came out."""
