"""Mutation: whether the tests of a module notice small faults in it."""
