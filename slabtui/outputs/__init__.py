"""What is printed or exported instead of shown on the screen: text, JSON, CSV and folded stacks."""
