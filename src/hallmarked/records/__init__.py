"""What people state: one module for each kind of statement."""
