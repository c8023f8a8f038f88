"""How repositories come about and change: commits and the histories they make."""
