"""The pictures of the README, taken of the running product by `python3 dev.py pictures`; no tests of the product."""
