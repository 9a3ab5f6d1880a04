"""How fast Plumbline is: absolute times of what a user waits for, ratios to named peers for the maths. Never tests."""
