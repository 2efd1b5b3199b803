"""The pure rules: words, lifecycle and rights. Imports the standard library only."""
