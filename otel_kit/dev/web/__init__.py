"""HTTP: each module turns requests into calls and answers into JSON, and knows nothing else."""
