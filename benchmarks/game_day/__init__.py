"""The game day: faults on purpose, against the product as processes, and what people saw of each."""
