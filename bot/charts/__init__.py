"""Pictures of numbers, drawn in a process of their own: that takes seconds and much memory."""
