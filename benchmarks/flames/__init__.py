"""Where a request's computing time goes: a flame graph, and a budget of its parts."""
