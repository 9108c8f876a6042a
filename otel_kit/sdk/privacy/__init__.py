"""What keeps secrets and personal data inside the process."""
