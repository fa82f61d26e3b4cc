"""Audiences: the users and groups of the simulated world."""

USERS = ("ada", "bob", "cy")
MEMBERS_ONLY = ("group:g", "tenant:t")
OPEN_GROUP = "open-x"
BROADCASTS = ("global", *MEMBERS_ONLY, f"group:{OPEN_GROUP}")
