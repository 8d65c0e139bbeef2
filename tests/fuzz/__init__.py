"""Fuzzing: every reader of foreign text is given what nobody would write, and keeps its promise.

`targets/` says what is read and what is promised, `corpus/` holds inputs that were worth keeping.
`python -m tests.fuzz --minutes 10` searches for long.
"""
