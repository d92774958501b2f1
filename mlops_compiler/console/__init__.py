"""What people see in their terminal; each view is imported from its own file: a command loads no other."""
