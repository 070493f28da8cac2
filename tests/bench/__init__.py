"""How fast it is: benchmarks that print figures beside their goals. docs/benchmarks.md has the results."""
