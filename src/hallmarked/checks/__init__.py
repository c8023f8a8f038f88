"""Sources over bytes: one module or package per check, and the runner that turns a check into a statement."""
