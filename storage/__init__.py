"""Tables and queries. Queries never commit; the unit of work does."""
