"""What others' judges say of our security headers."""
