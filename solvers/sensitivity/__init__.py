"""What a plan rests on: why there is none, what would give one, what a little more is worth, cost curves."""
