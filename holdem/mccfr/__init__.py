"""Monte Carlo counterfactual regret minimisation: the trainer of blueprints."""
