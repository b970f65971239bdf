"""Twenty instances without a plan, and how they are explained."""
