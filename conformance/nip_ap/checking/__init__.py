"""What a running check is: actors, evidence, probes, and the models that judge."""
