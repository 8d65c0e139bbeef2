"""The product beside other software that does the same, on one core each."""
