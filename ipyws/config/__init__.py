"""The files that configure ipyws, and what they say now: the policy in force and the saved connections."""
