"""One module for each foreign suite."""
