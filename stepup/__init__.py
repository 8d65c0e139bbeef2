"""The console command of an installed Stepup.

Owns which command goes to which part. Never does the work of one.
"""
