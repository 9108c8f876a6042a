"""What `init` was asked for: arguments and environment, resolved into one value."""
