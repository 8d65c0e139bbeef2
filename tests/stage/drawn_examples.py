"""What Hypothesis draws: the same examples in every run, however slow the computer is.

Owns its settings. An example that only one run has drawn would fail that run, whose change is another; looking for new
ones is a run of its own, with `--hypothesis-profile=search`.
"""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "tests", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "search", max_examples=2_000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tests")
