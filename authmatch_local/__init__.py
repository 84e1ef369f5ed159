"""A try on one machine: local engines, made-up data, and the commands that bring both up.

Installed with `authmatch[local]`. The service works without it, and the image of the service has
no part of it.
"""
