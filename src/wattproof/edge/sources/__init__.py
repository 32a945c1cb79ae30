"""What an agent can read: one module for each kind of meter or file."""
