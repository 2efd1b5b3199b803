"""Mail that goes out: what it says, and the way to the server that takes it."""
