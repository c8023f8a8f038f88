"""The hub: repositories, uploads, access, accounts and jobs, as functions that pages and routes call."""
