"""E-mail in: reading mails, and fetching them from mailboxes."""
