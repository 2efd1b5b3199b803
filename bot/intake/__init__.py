"""What brings tickets and messages in from outside: HTTP API and contact form."""
