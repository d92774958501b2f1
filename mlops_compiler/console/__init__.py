"""What people see in their terminal; each view is imported from its own file, so that a command loads no other."""
