"""How fast it is: benchmarks that print figures beside their goals. `make bench`; docs/benchmarks.md has the results."""
