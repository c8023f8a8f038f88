"""What people say about repositories, and changes that they offer."""
