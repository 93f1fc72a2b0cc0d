"""What holds for an account as a whole, and for each Region of it."""
