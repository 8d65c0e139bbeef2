"""What so many people come to: sessions, requests, refreshes, Redis and cores, by formulas."""
