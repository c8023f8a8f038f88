"""What people say about repositories, like and download, and changes that they offer."""
